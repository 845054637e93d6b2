#pragma once
// Tables in CSV files (RFC 4180): a line of names, and rows of as many fields.
#include <string>
#include <vector>

#include <xgrad/core/array/array.hpp>

namespace xgrad {

/// How a file is written.
struct CsvOptions {
  char delimiter = ',';  ///< between fields: also a semicolon or a tab
  bool header = true;    ///< whether the first line has the names; otherwise they are "0", "1", ...
};

/// The classes of a column of texts.
struct Classes {
  Array labels;                    ///< i64 (rows,): the index of each row's text among the names
  std::vector<std::string> names;  ///< the different texts, sorted
};

/// A table of texts, by columns.
struct Table {
  std::string source;                             ///< the file, for messages
  std::vector<std::string> names;                 ///< of the columns
  std::vector<std::vector<std::string>> columns;  ///< the fields of each column, in the order of the rows
  std::vector<long> lines;                        ///< the line at which each row begins, counted from 1

  /// The number of rows.
  long size() const { return long(lines.size()); }
  /// The fields of a column. Throws Error if no column has that name, which lists those there are, or if
  /// several have it.
  const std::vector<std::string>& column(const std::string& name) const;
  /// Columns of numbers, as f32 or f64 (rows, columns); all columns when no names are given. An empty field
  /// is NaN. Throws Error that names file, line and column for what is not a number.
  Array numbers(const std::vector<std::string>& names = {}, DType dtype = DType::f32) const;
  /// A column of texts as classes.
  Classes classes(const std::string& name) const;
};

/// Reads a CSV file. Fields may be quoted by double quotes, within which "" stands for a quote, and
/// delimiters and line breaks are text. Lines end in LF or CRLF; empty lines and a byte order mark are
/// skipped. Throws Error that names the file and the line for a row with more or fewer fields than the first,
/// a quote in an unquoted field, and an unterminated quoted field.
Table load_csv(const std::string& path, const CsvOptions& options = {});

}  // namespace xgrad
