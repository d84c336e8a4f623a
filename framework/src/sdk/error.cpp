#include <osteon/error.hpp>

#include <utility>

namespace osteon {

Error::Error(std::string message, Cause cause) : message_(std::move(message)), cause_(cause) {}
Error::Error(const Error&) = default;
Error& Error::operator=(const Error&) = default;
Error::~Error() = default;

const char* Error::what() const noexcept { return message_.c_str(); }
Error::Cause Error::cause() const noexcept { return cause_; }

Error Error::within(std::string_view context) const { return Error(std::string(context) + ": " + message_, cause_); }

Error failure(std::string message) { return Error(std::move(message), Error::Cause::failure); }

}  // namespace osteon
