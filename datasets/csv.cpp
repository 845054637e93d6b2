// Reads tables.
#include <xgrad/datasets/csv.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

#include <xgrad/core/base/number_text.hpp>
#include <xgrad/core/base/reader.hpp>

namespace xgrad {
namespace {

/// Reads a number with blanks around it and perhaps a plus before it, or NaN from a blank field; false for
/// anything else.
bool parse_field(std::string_view text, double& value) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) {
    value = NAN;
    return true;
  }
  text = text.substr(first, text.find_last_not_of(" \t") + 1 - first);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  return read_number(text, value);
}

class CsvReader {
 public:
  CsvReader(const std::string& path, char delimiter) : file_(path), delimiter_(delimiter) {}

  /// The fields of the next row; false at the end.
  bool row(std::vector<std::string>& fields) {
    fields.clear();
    do {
      if (file_.at_end()) return false;
      next_line();
    } while (line_.empty());
    began_ = number_;
    do {
      file_.charge(sizeof(std::string));
      fields.push_back(field());
    } while (more_);
    return true;
  }
  /// The line at which the last row began.
  long line() const { return began_; }

  template <class... Args>
  void expect(bool ok, fmt::format_string<Args...> message, Args&&... args) const {
    if (!ok) [[unlikely]]
      fail("{}: line {}: {}", file_.name(), began_, fmt::format(message, std::forward<Args>(args)...));
  }

 private:
  void next_line() {
    line_ = file_.line();
    if (number_++ == 0 && line_.starts_with("\xef\xbb\xbf")) line_.erase(0, 3);
    if (line_.ends_with('\r')) line_.pop_back();
    at_ = 0;
  }
  std::string field() {
    std::string text;
    if (at_ < line_.size() && line_[at_] == '"') {
      for (++at_;; ++at_) {
        if (at_ >= line_.size()) {  // the field goes on in the next line
          expect(!file_.at_end(), "unterminated quoted field");
          next_line();
          text += '\n';
          at_ = std::size_t(-1);
        } else if (line_[at_] != '"') {
          text += line_[at_];
        } else if (at_ + 1 < line_.size() && line_[at_ + 1] == '"') {
          text += line_[at_++];
        } else {
          break;
        }
      }
      ++at_;
      expect(at_ == line_.size() || line_[at_] == delimiter_, "'{}' after a quoted field",
             line_[std::min(at_, line_.size() - 1)]);
    } else {
      const auto end = std::min(line_.find(delimiter_, at_), line_.size());
      text = line_.substr(at_, end - at_);
      expect(text.find('"') == text.npos, "unexpected quote in an unquoted field: '{}'", text);
      at_ = end;
    }
    more_ = at_++ < line_.size();
    return text;
  }

  Reader file_;
  char delimiter_;
  std::string line_;
  std::size_t at_ = 0;
  long number_ = 0, began_ = 0;
  bool more_ = false;
};

}  // namespace

const std::vector<std::string>& Table::column(const std::string& name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  expect(found != names.end(), "{}: no column is called '{}'; the columns are '{}'", source, name,
         fmt::join(names, "', '"));
  expect(std::find(found + 1, names.end(), name) == names.end(), "{}: two columns are called '{}'", source,
         name);
  return columns[std::size_t(found - names.begin())];
}

Array Table::numbers(const std::vector<std::string>& wanted, DType dtype) const {
  expect(is_f32_or_f64(dtype), "{}: numbers are f32 or f64, not {}", source, dtype);
  const auto& chosen = wanted.empty() ? names : wanted;
  const long width = long(chosen.size());
  Array result({size(), width}, DType::f64);
  double* to = result.mutable_data<double>();
  for (long j = 0; j < width; ++j) {
    auto& fields = wanted.empty() ? columns[std::size_t(j)] : column(chosen[std::size_t(j)]);
    for (long i = 0; i < size(); ++i)
      expect(parse_field(fields[std::size_t(i)], to[i * width + j]),
             "{}: line {}, column '{}': '{}' is not a number", source, lines[std::size_t(i)],
             chosen[std::size_t(j)], fields[std::size_t(i)]);
  }
  return result.cast(dtype);
}

Classes Table::classes(const std::string& name) const {
  auto& fields = column(name);
  Classes result{Array({size()}, DType::i64), fields};
  auto& names = result.names;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::int64_t* to = result.labels.mutable_data<std::int64_t>();
  for (auto& field : fields) *to++ = std::lower_bound(names.begin(), names.end(), field) - names.begin();
  return result;
}

Table load_csv(const std::string& path, const CsvOptions& options) {
  expect(options.delimiter != '"' && options.delimiter != '\n' && options.delimiter != '\r',
         "load_csv: the delimiter cannot be a quote or a line break");
  CsvReader file(path, options.delimiter);
  Table table{path, {}, {}, {}};
  std::vector<std::string> fields;
  if (!file.row(fields)) fail("{}: the file is empty", path);
  const std::size_t width = fields.size();
  table.columns.resize(width);
  if (options.header)
    table.names = fields;
  else
    for (std::size_t j = 0; j < width; ++j) table.names.push_back(std::to_string(j));
  if (options.header && !file.row(fields)) return table;
  do {
    file.expect(fields.size() == width, "{} fields, where the first line has {}", fields.size(), width);
    for (std::size_t j = 0; j < width; ++j) table.columns[j].push_back(std::move(fields[j]));
    table.lines.push_back(file.line());
  } while (file.row(fields));
  return table;
}

}  // namespace xgrad
