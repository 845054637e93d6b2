#pragma once
// An HTTP server of one file on 127.0.0.1 that can misbehave, for the tests of downloads.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace xgrad::tests {

struct ServerOptions {
  bool ranges = true;         // answers Range requests with a part
  std::size_t cut = 0;        // breaks the connection after that many bytes of a body; 0: never
  long length = 0;            // the length it states; 0: the true one, -1: none
  std::size_t shift = 0;      // how many bytes later than asked for its parts begin
  int status = 200;           // what it answers when all is well
  std::string redirect = {};  // where the path /moved leads to
};

/// Serves `content` under every path, one connection at a time, until it is destroyed.
class Server {
 public:
  explicit Server(std::string content, ServerOptions options = {})
      : content_(std::move(content)), options_(std::move(options)), socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, generic, size) || listen(socket_, 8) || getsockname(socket_, generic, &size))
      throw std::runtime_error("tests: no server on 127.0.0.1");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Server() {
    stop();
    close(socket_);
  }
  /// Ends the thread; `requests` may be read after it.
  void stop() {
    shutdown(socket_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }
  std::string url(const std::string& path) const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }

  std::vector<std::string> ranges;  // what each request asked for: "bytes=100-", or ""

 private:
  void run() {
    for (int client = 0; (client = accept(socket_, nullptr, nullptr)) >= 0; close(client)) {
      std::string request;
      char buffer[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const auto n = recv(client, buffer, sizeof(buffer), 0);
        if (n <= 0) break;
        request.append(buffer, std::size_t(n));
      }
      const std::string reply = answer(request);
      for (std::size_t sent = 0; sent < reply.size();) {
        const auto n = send(client, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += std::size_t(n);
      }
    }
  }

  std::string answer(const std::string& request) {
    const auto at = request.find("Range: ");
    const std::string range =
        at == std::string::npos ? "" : request.substr(at + 7, request.find("\r\n", at) - at - 7);
    ranges.push_back(range);
    if (request.starts_with("GET /moved")) return head("302 Found\r\nLocation: " + options_.redirect, 0);
    if (options_.status != 200) return head(fmt::format("{} Sorry", options_.status), 5) + "sorry";
    std::size_t from = range.empty() || !options_.ranges ? 0 : std::stoul(range.substr(6));
    if (from >= content_.size() && from) return head("416 Range Not Satisfiable", 0);
    if (from) from += options_.shift;
    std::string body = content_.substr(from);
    std::string top = head(from ? fmt::format("206 Partial Content\r\nContent-Range: bytes {}-{}/{}", from,
                                              content_.size() - 1, content_.size())
                                : "200 OK",
                           options_.length ? options_.length : long(body.size()));
    if (options_.cut) body.resize(std::min(body.size(), options_.cut));
    return top + body;
  }
  static std::string head(const std::string& status, long length) {
    const std::string stated = length < 0 ? "" : fmt::format("Content-Length: {}\r\n", length);
    return fmt::format("HTTP/1.1 {}\r\n{}Connection: close\r\n\r\n", status, stated);
  }

  std::string content_;
  ServerOptions options_;
  int socket_, port_ = 0;
  std::thread thread_;
};

}  // namespace xgrad::tests
