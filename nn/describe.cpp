// Models as text.
#include <xgrad/nn/describe.hpp>

#include <xgrad/core/base/error.hpp>

namespace xgrad::detail {
namespace {

/// "Net" for "main()::Net", "Sequential" for "xgrad::Sequential<xgrad::Linear, std::vector<int> >".
std::string_view short_type(std::string_view type) {
  if (type.ends_with('>')) {
    int open = 0;
    auto i = type.size();
    do {
      --i;
      open += type[i] == '>' ? 1 : type[i] == '<' ? -1 : 0;
    } while (i > 0 && open > 0);
    type = type.substr(0, i);
  }
  const auto colon = type.rfind("::");
  if (colon != type.npos) type = type.substr(colon + 2);
  return type.find("lambda") == type.npos ? type : "function";
}

std::string indented(const std::string& text) {
  std::string result;
  for (char c : text) {
    result += c;
    if (c == '\n') result += "  ";
  }
  return result;
}

bool is_number(const std::string& name) {
  return !name.empty() && name.find_first_not_of("0123456789") == name.npos;
}

std::string leaf_text(const char* type, const Array& data) {
  std::string text = type + data.shape().str();
  if (data.dtype() != DType::f32) text += fmt::format(" of {}", data.dtype());
  return text;
}

}  // namespace

std::string Description::of_leaf(const Parameter& leaf, const std::string& path) {
  if (!leaf.defined()) return "";
  if (const std::string* first = met({&leaf, typeid(Parameter)}, path)) return "the same as " + *first;
  return leaf_text("Parameter", leaf.data()) + (leaf.requires_grad() ? "" : ", frozen");
}
std::string Description::of_leaf(const Buffer& leaf, const std::string&) {
  return leaf.value.defined() ? leaf_text("Buffer", leaf.value) : "";
}

const std::string* Description::met(LayerKey object, const std::string& path) {
  for (auto& [known, place] : places_)
    if (known == object) return &place;
  places_.emplace_back(object, path.empty() ? "the model" : path);
  return nullptr;
}

std::string Description::written(std::string_view type, const Parts& all, bool needed) {
  std::string lines;
  for (std::size_t i = 0; i < all.size();) {
    auto& [name, text] = all[i];
    std::size_t n = 1;  // equal ones, by number
    while (is_number(name) && i + n < all.size() && is_number(all[i + n].name) && all[i + n].text == text)
      ++n;
    if (!text.empty()) {
      const std::string names = n == 1 ? name : name + "-" + all[i + n - 1].name;
      lines += "\n  " + (names.empty() ? "" : "(" + names + "): ") + (n == 1 ? "" : fmt::format("{} x ", n)) +
               indented(text);
    }
    i += n;
  }
  if (lines.empty() && !needed) return "";
  return std::string(short_type(type)) + "(" + lines + (lines.empty() ? ")" : "\n)");
}

}  // namespace xgrad::detail
