// Locks on folders: one holder at a time, whoever it is and however it ends.
#include <xgrad/core/base/lock.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/catch.hpp"

using namespace xgrad;
using tests::error_of;

TEST_CASE("lock: a second holder is refused, and told who holds it") {
  tests::TemporaryFolder folder;
  {
    const FolderLock lock(folder.path);
    const std::string refused = error_of([&] { FolderLock second(folder.path); });
    CHECK_THAT(refused, Catch::StartsWith(folder.path.string() + ": is in use by process " +
                                          std::to_string(getpid()) + " on "));
    CHECK_THAT(refused, Catch::EndsWith(" UTC; wait until it has ended, or choose another folder"));
    CHECK_THROWS(FolderLock(folder.path));  // being refused changes nothing
  }
  CHECK_FALSE(std::filesystem::exists(folder / "lock"));
  CHECK(error_of([&] { FolderLock lock(folder.path); }) == "");
  CHECK(error_of([&] { FolderLock lock(folder / "none"); }) ==
        (folder / "none/lock").string() + ": cannot be created: No such file or directory");
}

TEST_CASE("lock: the kernel lets go of a killed process's; links are not followed") {
  tests::TemporaryFolder folder;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const FolderLock lock(folder.path);
    [[maybe_unused]] const auto written = write(ends[1], "x", 1);
    pause();
    _exit(0);
  }
  char ready;
  REQUIRE(read(ends[0], &ready, 1) == 1);
  close(ends[0]), close(ends[1]);
  CHECK_THAT(error_of([&] { FolderLock lock(folder.path); }),
             Catch::Contains("process " + std::to_string(child)));
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, nullptr, 0) == child);
  CHECK(std::filesystem::exists(folder / "lock"));
  CHECK(error_of([&] { FolderLock lock(folder.path); }) == "");

  std::ofstream(folder / "precious") << "text";
  std::filesystem::create_symlink(folder / "precious", folder / "lock");
  CHECK_THROWS(FolderLock(folder.path));
  CHECK(std::filesystem::file_size(folder / "precious") == 4);
}
