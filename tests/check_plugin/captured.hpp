#pragma once

// One check in the tests' own process, where LibTorch is loaded once, with what it prints.

#include "contract/contract.hpp"

#include <gtest/gtest.h>

namespace osteon::test {

struct Captured {
  contract::Outcome outcome;
  std::string printed;  ///< on standard output and error
};

inline Captured captured_check(std::string_view check, contract::Request request) {
  request.seconds_of_use = 0.3;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  contract::Outcome outcome = contract::run_check(check, request);
  const std::string out = testing::internal::GetCapturedStdout();
  return {std::move(outcome), out + testing::internal::GetCapturedStderr()};
}

}  // namespace osteon::test
