#pragma once

// Everything is built with hidden visibility; what a plugin may call is marked OSTEON_API.
#define OSTEON_API __attribute__((visibility("default")))
