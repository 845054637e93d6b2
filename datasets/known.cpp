// The checksums of the published files.
#include <xgrad/datasets/known.hpp>

#include <xgrad/core/base/digest.hpp>
#include <xgrad/core/base/error.hpp>

namespace xgrad {
namespace {

constexpr std::size_t parts = 8, digits = 8;

struct Known {
  std::string_view name;
  std::size_t size;
  std::string_view sha256;
  std::string_view of_parts;  // the first eight digits of each eighth's SHA-256
};
// Of MNIST's files, unpacked.
constexpr Known known[] = {
    {"data_batch_1.bin", 30730000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
     "4c8190d1b556a68c541c8e404ea33c3513fabe57aeffb0cf40342dbdae1b166b"},
    {"data_batch_2.bin", 30730000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
     "3c7573382770894afa5aa89dc46182c48f428951d3c8d0dc609a52d4414bf6b4"},
    {"data_batch_3.bin", 30730000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
     "6d36e243d5af2950f97c9e4ccecbbb612c16364ab9b87ba4e2088a73e341be2f"},
    {"data_batch_4.bin", 30730000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
     "fbbe20b0398f2f741e364082e9a315ee1a2aec9bd1d4525c295b3e329687c005"},
    {"data_batch_5.bin", 30730000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
     "2c2912575d9a234fc88bea78efbf46614bbaad4f557848f2f989a5cfaf80e134"},
    {"test_batch.bin", 30730000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
     "8cf749cd76265c0ea91554936d3b2a00e251216d1706d70373d48b17b79a72fa"},
    {"batches.meta.txt", 61, "558e74b5e208382e186da55784b4bac2cd52e558448e1b5800990fdb28ed8033",
     "ac4ae7850b863de5ff2ca11da88a4e225d795f49ca01dd9387a7f3be9c48462c"},
    {"train.bin", 153700000, "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
     "dc197e3de6df28b5a2ae4d829d189339637c134b60e4dc70bf2ffee77f969732"},
    {"test.bin", 30740000, "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a",
     "a1f09c13ec41f327159924da1bdc5a399ce9f21bc0526769e4011afca21a90f4"},
    {"fine_label_names.txt", 725, "4a53f81a8af29bb6aa646bfe2c455db1b061edfde82a39c0cfc313ef536c681b",
     "c591862226a13ff6cdb96b236fcbdda4746d5806086f930140aec5d269d39e65"},
    {"coarse_label_names.txt", 328, "14e28b5b70e3d8a29704b0d9f8c5985cca5f3c3d08ea043dcc87a036df37a2b3",
     "5c9787ddd374e5a8aae8c7c3c103308e9ed8c723f18e95f1aaa2684c75c3ef89"},
    {"train-images-idx3-ubyte.gz", 47040016,
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
     "8c591a6c18347f8eacb8b4d291e977d877b83f0f8bb3d3d4909aeb5cb08320be"},
    {"train-labels-idx1-ubyte.gz", 60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
     "92eb305efc037de9c805feb222b0d15a94467d0f0f175b393bed31ca63e0572f"},
    {"t10k-images-idx3-ubyte.gz", 7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
     "deb1180a3de8a6cecb82caaafe2a923b4ccf7bdf9070973e3b328c37c7aa7175"},
    {"t10k-labels-idx1-ubyte.gz", 10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
     "9a53874f40b6461813d8adab29857308fd6ce439073e06ff46cfc495fa6e1da8"}};

std::string sum(std::string_view bytes) {
  Digest digest;
  digest.add(bytes.data(), bytes.size());
  return digest.hex();
}

}  // namespace

void check_known(const std::filesystem::path& file, std::string_view bytes) {
  for (const Known& k : known) {
    if (k.name != file.filename().string() || k.size != bytes.size() || k.sha256 == sum(bytes)) continue;
    std::size_t first = k.size, last = 0;
    bool familiar = false;
    for (std::size_t i = 0; i < parts; ++i) {
      const std::size_t begin = k.size * i / parts, end = k.size * (i + 1) / parts;
      if (sum(bytes.substr(begin, end - begin)).substr(0, digits) == k.of_parts.substr(i * digits, digits)) {
        familiar = true;
      } else {
        first = std::min(first, begin);
        last = end;
      }
    }
    if (familiar)
      fail(
          "{}: byte {}: damaged: between here and byte {} it is not the file that its authors published, by "
          "its "
          "SHA-256; remove it and fetch it again",
          file.string(), first, last);
  }
}

}  // namespace xgrad
