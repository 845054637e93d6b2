// Hostile pickles, metrics and settings.
#include <cstdint>

#include "tests/hostile/files.hpp"

namespace xgrad::tests {
namespace {

/// An array of two bytes: what comes before its BUILD, with the given shape and content.
std::string array(const std::string& shape = "K\2\x85", const std::string& content = bytes("C\2\1\2"),
                  const std::string& type = "\x8c\2u1", const std::string& order = "\x8c\1|") {
  return "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" +
         bytes(
             "K\0\x85"
             "C\1b\x87R(K\1") +
         shape + "cnumpy\ndtype\n" + type + bytes("\x89\x88\x87R(K\3") + order +
         bytes("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89") + content + "tb";
}
std::string pickle(const std::string& body) { return "\x80\3" + body + "."; }

}  // namespace

std::vector<HostileFile> hostile_pickles() {
  const std::string remember_text = bytes("X\x40\x42\x0f\0") + std::string(1'000'000, 'x') + "q\1";
  std::string doubling = "]q\1";  // each list holds the one before twice
  for (int i = 2; i < 80; ++i)
    doubling += "](h" + std::string(1, char(i - 1)) + "h" + std::string(1, char(i - 1)) + "eq" +
                std::string(1, char(i));
  return {{"an array", pickle(array()), ""},
          {"a tuple of arrays", pickle(array() + array() + "\x86"), ""},
          {"a number of NumPy",
           pickle("cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n" +
                  bytes("\x8c\2u1\x89\x88\x87R(K\3\x8c\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
                        "C\1\7\x86R")),
           ""},
          {"nothing but None", pickle("N"), ""},
          {"protocol 0", "(dp0\nVx\np1\nI3\nsVy\nF0.5\nsVz\nL7L\ns.", ""},
          {"nothing", "", "byte 0: an opcode was expected"},
          {"no end", bytes("\x80\3N"), "byte 3: an opcode was expected"},
          {"something behind the end", pickle("N") + "N.", "something follows"},
          {"protocol 6", "\x80\6N.", "pickle protocol 6"},
          {"a frame beyond the file",
           bytes("\x80\4\x95\xff\xff\xff\xff\xff\xff\xff\xff"
                 "N."),
           "a frame of the pickle"},
          {"os.system",
           "\x80\3"
           "cos\nsystem\nX\4" +
               bytes("\0\0\0true\x85R."),
           "os.system is refused"},
          {"eval",
           bytes("\x80\4\x8c\x08"
                 "builtins\x8c\4eval\x93."),
           "builtins.eval is refused"},
          {"a name without an end",
           "\x80\3"
           "cos",
           "is refused"},
          {"a class", pickle("ccollections\nOrderedDict\n)R"), "collections.OrderedDict is refused"},
          {"an object's class", pickle(")\x81"), "opcode 0x81 is refused"},
          {"a persistent id", pickle("Pid\n"), "opcode 0x50 is refused"},
          {"a set", pickle("\x8f"), "opcode 0x8f is refused"},
          {"an unknown opcode", pickle("\xff"), "opcode 0xff is refused"},
          {"an empty stack", pickle(""), "nothing is on the stack"},
          {"no mark", pickle("NNt"), "no mark on the stack"},
          {"a tuple of too few", pickle("N\x87"), "nothing is on the stack"},
          {"nothing remembered", pickle("h\7"), "nothing was memoized at 7"},
          {"a list that is none", pickle("NNa"), "a list was expected"},
          {"a tuple that grows", pickle(")Na"), "a tuple cannot grow"},
          {"a key without a value", pickle("}(Nu"), "a key has no value"},
          {"a key that is a list",
           pickle("}](" + bytes("]\x89"
                                "e]s")),
           "is neither a string nor an integer"},
          {"a call of a text", pickle(bytes("X\1\0\0\0x)R")), "a name was expected"},
          {"a state of None", pickle("N)b"), "something other than an array has a state"},
          {"a text beyond the file", pickle(bytes("X\xff\xff\xff\xffx")), "a string was expected"},
          {"2^63 bytes", pickle(bytes("\x8d\xff\xff\xff\xff\xff\xff\xff\x7fx")), "a string was expected"},
          {"a long of 200 bytes", pickle("\x8a\xc8" + std::string(200, 'x')), "a number of 200 bytes"},
          {"a number in words", pickle("Ione\n"), "is not a number"},
          {"a reconstructed array", pickle("cnumpy.core.multiarray\n_reconstruct\n)R"), "has no elements"},
          {"a shape of texts", pickle(array(bytes("X\1\0\0\0x\x85"))), "a length was expected"},
          {"a negative length", pickle(array(bytes("J\xff\xff\xff\xff\x85"))),
           "a length in a shape is negative, or there are too many"},
          {"2^62 elements", pickle(array(bytes("\x8a\x08\0\0\0\0\0\0\0\x40\x85"))), "would be too large"},
          {"fewer bytes than the shape", pickle(array(bytes("K\3\x85"))), "2 bytes are too few"},
          {"more bytes than the shape", pickle(array(bytes("K\1\x85"))), "something follows"},
          {"objects", pickle(array(bytes("K\2\x85"), "](NNe")), "an array of Python objects is refused"},
          {"an unknown dtype", pickle(array(bytes("K\2\x85"), bytes("C\2\1\2"), bytes("\x8c\2O8"))),
           "dtype '|O8'"},
          {"a bool of 2",
           pickle(array(bytes("K\2\x85"), bytes("C\2\1\2"),
                        bytes("\x8c\2"
                              "b1"))),
           "not a bool"},
          {"an array twice by one name",
           pickle("}(" + bytes("X\1\0\0\0a") + array() + bytes("X\1\0\0\0a") + array() + "u"),
           "two arrays are called 'a'"},
          {"a list in itself", pickle("]q\1h\1a"), "nested too deeply"},
          {"a dict in itself", bytes("\x80\2}q\0X\0\0\0\0h\0s."), "nested too deeply"},
          {"a million lists", pickle("]" + std::string(1'000'000, ']') + std::string(1'000'000, 'a')),
           "nested too deeply"},
          {"a million tuples", pickle(")" + std::string(1'000'000, '\x85')), "nested too deeply"},
          {"2^78 lists", pickle(doubling), "refer to one another too many times"},
          {"a text of a MB that becomes bytes 10,000 times",
           pickle(remember_text + "c_codecs\nencode\nq\2" + repeated("h\2h\1h\1\x86R0", 10'000)),
           "too many for a file of this size"}};
}

std::vector<HostileFile> hostile_metrics() {
  return {{"two lines", "{\"step\":1,\"loss\":2.5}\n{\"final\":true}\n", ""},
          {"a last line without an end", "{\"step\":1}", ""},
          {"nothing", "", ""},
          {"an empty line", "{\"step\":1}\n\n", "line 2: byte 0"},
          {"no JSON", "{\"step\":1}\nstep 2\n", "line 2: byte"},
          {"a list", "[1]\n", "line 1: byte 1: a JSON object was expected"},
          {"a number", "1\n", "a JSON object was expected"},
          {"half a line", "{\"step\":1}\n{\"step\":", "line 2: byte"},
          {"step null", "{\"step\":1}\n{\"step\":null}\n", "line 2: byte 12: the step is null"},
          {"step -5", "{\"step\":-5}\n", "the step is -5"},
          {"step 1.5", "{\"step\":1.5}\n", "the step is 1.5"},
          {"step 2^63", "{\"step\":9223372036854775808}\n", "the step is 9223372036854775808"},
          {"step as a text", "{\"step\":\"1\"}\n", "the step is \"1\""},
          {"two steps", "{\"step\":1,\"step\":2}\n", "the key \"step\" is given twice"},
          {"no UTF-8", "{\"\xff\":1}\n", "not valid JSON"},
          {"a loss beyond doubles", "{\"step\":1,\"loss\":1e999}\n", "not valid JSON"},
          {"a million lists", "{\"a\":" + std::string(1'000'000, '['), "nested too deeply"}};
}

std::vector<HostileFile> hostile_settings() {
  return {{"texts and numbers", "{\"a\": \"x\", \"b\": 1, \"c\": true}", ""},
          {"nothing", "", "not valid JSON"},
          {"a list", "[]", "a JSON object was expected"},
          {"null", "null", "a JSON object was expected"},
          {"a setting of null", "{\"a\": null}", "the setting a is null"},
          {"a setting that is a list", "{\"a\": [1]}", "the setting a is [1]"},
          {"a setting twice", "{\"a\": 1, \"a\": 2}", "the key \"a\" is given twice"},
          {"two objects", "{} {}", "not valid JSON"},
          {"a million objects", repeated("{\"a\":", 1'000'000), "nested too deeply"}};
}

}  // namespace xgrad::tests
