#pragma once

// Where what stands in a store:
//
//     ab/ab12…/manifest.json, NAME.npy   an artifact, complete since its folder got this name
//     tmp/ab12….PID.N                    one that process PID is writing
//     work/ab12…/                        checkpoints of one in the making
//     locks/ab12…                        held while one is being made
//     locks/lookups                      held by all who look up, alone by who takes away
//     users/HASH                         keys of the artifacts that a run or a process needs (users.hpp)
//     latest/STAGE/HASH.json             ingredients of the newest artifact of a stage and a subject
//     salt                               the secret of this store's pseudonyms

#include "store/store.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace osteon::store {

/// An artifact's folder. Throws a failure when `key` is not one that `Ingredients::key` makes: keys become paths.
[[nodiscard]] std::filesystem::path artifact_folder(const std::filesystem::path& root, const std::string& key);

/// Throws a failure unless `name` can be a file's: letters, digits and other signs, but no '/', no "..", no dot first.
void check_name(std::string_view what, std::string_view name);

/// Path of a new file or folder in tmp/ that no other process and thread uses.
[[nodiscard]] std::filesystem::path temporary_path(const std::filesystem::path& root, std::string_view stem);

/// What stands in tmp/ and was left by processes that live no more.
[[nodiscard]] std::vector<std::filesystem::path> leftovers_of(const std::filesystem::path& root);

/// Removes it.
void remove_leftovers(const std::filesystem::path& root);

/// Keeps the ingredients of an artifact that has just been stored, for `Store::why`.
void remember(const std::filesystem::path& root, const Ingredients& ingredients);

/// The JSON of a file that may come from anywhere; discarded when it is none, or nested deeper than any that we write:
/// whatever copies a value goes as deep as the value does, and a million brackets would end the program.
[[nodiscard]] nlohmann::json json_from(std::string_view bytes);

/// JSON as the store writes it: names sorted, bytes that are no UTF-8 replaced.
[[nodiscard]] std::string json_text(const nlohmann::json& json, int indent = -1);

}  // namespace osteon::store
