#pragma once
// What is made right in a mutated file, so that a fuzzer gets past checksums, which no mutation would hit.
#include <string>

namespace xgrad::tests {

/// The chunks of a PNG have the checksums of their contents.
void repair_png(std::string& bytes);
/// So have the headers of a tar archive of headers and contents, in blocks of 512 bytes.
void repair_tar(std::string& bytes);
/// So have the members of a ZIP archive; the places that it states, where they lead to nothing, lead to its
/// directory and its members.
void repair_zip(std::string& bytes);

}  // namespace xgrad::tests
