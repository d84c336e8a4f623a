// The PLY format (Greg Turk, "The PLY polygon file format", Stanford, 1994): a header that declares elements and their
// properties, then their values as text or as bytes of either order.

#include "mesh_parsing.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace osteon::open3d_support {

namespace {

enum class Encoding { ascii, little_endian, big_endian };

struct Type {
  char kind;  ///< 'i' signed, 'u' unsigned, 'f' floating
  std::size_t bytes;
};

struct Property {
  std::string name;
  Type value{};
  bool is_list = false;
  Type count{};
};

struct Element {
  std::string name;
  std::int64_t count = 0;
  std::vector<Property> properties;
};

struct Header {
  Encoding encoding = Encoding::ascii;
  std::vector<Element> elements;
};

Type type_named(std::string_view name) {
  struct Named {
    const char *old_name, *new_name;
    Type type;
  };
  static constexpr std::array<Named, 8> kTypes{{{"char", "int8", {'i', 1}},
                                                {"uchar", "uint8", {'u', 1}},
                                                {"short", "int16", {'i', 2}},
                                                {"ushort", "uint16", {'u', 2}},
                                                {"int", "int32", {'i', 4}},
                                                {"uint", "uint32", {'u', 4}},
                                                {"float", "float32", {'f', 4}},
                                                {"double", "float64", {'f', 8}}}};
  for (const Named& known : kTypes)
    if (name == known.old_name || name == known.new_name) return known.type;
  throw Error(text("the header has a property of unknown type \"", name, '"'));
}

Encoding encoding_named(std::string_view name) {
  if (name == "ascii") return Encoding::ascii;
  if (name == "binary_little_endian") return Encoding::little_endian;
  if (name == "binary_big_endian") return Encoding::big_endian;
  throw Error(text("the header names the unknown format \"", name, '"'));
}

Property parse_property(TextCursor& words) {
  Property property;
  std::string_view type = words.word();
  property.is_list = type == "list";
  if (property.is_list) {
    property.count = type_named(words.word());
    if (property.count.kind == 'f') throw Error("the header counts a list in fractions");
    type = words.word();
  }
  property.value = type_named(type);
  property.name = words.word();
  return property;
}

Header parse_header(TextCursor& lines) {
  Header header;
  std::string_view line;
  if (!lines.line(line) || line != "ply") throw Error("this is no PLY file: its first line is not \"ply\"");
  while (lines.line(line)) {
    TextCursor words(line);
    const std::string_view keyword = words.word();
    if (keyword == "end_header") return header;
    if (keyword == "format") header.encoding = encoding_named(words.word());
    if (keyword == "element") {
      const std::string_view name = words.word();
      const std::int64_t count = to_integer(words.word(), "a number of elements");
      if (count < 0) throw Error(text("the header announces ", count, " elements \"", name, '"'));
      header.elements.push_back({std::string(name), count, {}});
    }
    if (keyword == "property") {
      if (header.elements.empty()) throw Error("the header has a property before its first element");
      header.elements.back().properties.push_back(parse_property(words));
    }
  }
  throw Error("the file is truncated within its header");
}

/// The values of a PLY file one after another, whatever their encoding.
class Values {
 public:
  Values(Encoding encoding, std::string_view body) : encoding_(encoding), body_(body), words_(body) {}

  double next(Type type, const char* what) {
    if (encoding_ == Encoding::ascii) return to_number(words_.word(), what);
    if (body_.size() < type.bytes) throw Error("the file is truncated");
    std::array<char, 8> raw{};
    std::copy_n(body_.begin(), type.bytes, raw.begin());
    body_.remove_prefix(type.bytes);
    if (encoding_ == Encoding::big_endian)
      std::reverse(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(type.bytes));
    return decoded(raw, type);
  }

  [[nodiscard]] std::size_t bytes_left() const {
    return encoding_ == Encoding::ascii ? words_.rest().size() : body_.size();
  }
  [[nodiscard]] bool is_text() const { return encoding_ == Encoding::ascii; }

 private:
  template <class Number>
  static double as(const std::array<char, 8>& raw) {
    Number number{};
    std::memcpy(&number, raw.data(), sizeof number);
    return static_cast<double>(number);
  }

  static double decoded(const std::array<char, 8>& raw, Type type) {
    if (type.kind == 'f') return type.bytes == 4 ? as<float>(raw) : as<double>(raw);
    if (type.kind == 'u')
      return type.bytes == 1   ? as<std::uint8_t>(raw)
             : type.bytes == 2 ? as<std::uint16_t>(raw)
                               : as<std::uint32_t>(raw);
    return type.bytes == 1 ? as<std::int8_t>(raw) : type.bytes == 2 ? as<std::int16_t>(raw) : as<std::int32_t>(raw);
  }

  Encoding encoding_;
  std::string_view body_;
  TextCursor words_;
};

/// Refuses counts that the file can't hold before anything of their size is reserved.
void require_room(const Element& element, const Values& values) {
  std::size_t least = 0;
  for (const Property& p : element.properties)
    least += values.is_text() ? 1 : p.is_list ? p.count.bytes : p.value.bytes;
  if (least > 0 && static_cast<std::uint64_t>(element.count) > values.bytes_left() / least)
    throw Error(text("the file is truncated: its header announces ", element.count, " elements \"", element.name,
                     "\", but only ", values.bytes_left(), " bytes are left for them"));
}

/// One list; integers of `what` for each entry.
void read_list(const Property& property, Values& values, std::vector<double>& entries) {
  const double length = values.next(property.count, "the length of a list");
  if (!(length >= 0) || length > static_cast<double>(values.bytes_left()))
    throw Error(text("the file is truncated: a list of ", length, " entries is longer than the rest of the file"));
  entries.clear();
  for (double i = 0; i < length; ++i) entries.push_back(values.next(property.value, "an entry of a list"));
}

bool is_corner_list(const Property& property) {
  return property.is_list && (property.name == "vertex_indices" || property.name == "vertex_index");
}

void read_vertices(const Element& element, Values& values, SurfaceBuilder& surface) {
  std::array<std::size_t, 3> place{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::string name(1, "xyz"[axis]);
    const auto found = std::find_if(element.properties.begin(), element.properties.end(),
                                    [&](const Property& p) { return p.name == name && !p.is_list; });
    if (found == element.properties.end()) throw Error(text("its vertices have no coordinate \"", name, '"'));
    place[axis] = static_cast<std::size_t>(found - element.properties.begin());
  }
  std::vector<double> row(element.properties.size()), list;
  for (std::int64_t i = 0; i < element.count; ++i) {
    for (std::size_t p = 0; p < row.size(); ++p)
      if (element.properties[p].is_list)
        read_list(element.properties[p], values, list);
      else
        row[p] = values.next(element.properties[p].value, "a coordinate");
    surface.add_vertex(row[place[0]], row[place[1]], row[place[2]]);
  }
}

void read_faces(const Element& element, Values& values, SurfaceBuilder& surface) {
  if (std::none_of(element.properties.begin(), element.properties.end(), is_corner_list))
    throw Error("its faces have no list \"vertex_indices\"");
  std::vector<double> list;
  std::vector<std::int64_t> corners;
  for (std::int64_t i = 0; i < element.count; ++i)
    for (const Property& property : element.properties) {
      if (!property.is_list) {
        values.next(property.value, "a number");
        continue;
      }
      read_list(property, values, list);
      if (!is_corner_list(property)) continue;
      corners.clear();
      for (const double corner : list) {
        // Compared as a floating number first: converting one that is too large would be undefined.
        if (!(corner >= 0 && corner < static_cast<double>(std::numeric_limits<std::int32_t>::max())))
          throw Error(text("face ", i, " names vertex ", corner, ", which does not exist"));
        corners.push_back(static_cast<std::int64_t>(corner));
      }
      surface.add_polygon(corners);
    }
}

void skip(const Element& element, Values& values) {
  std::vector<double> list;
  if (element.properties.empty()) return;
  for (std::int64_t i = 0; i < element.count; ++i)
    for (const Property& property : element.properties)
      if (property.is_list)
        read_list(property, values, list);
      else
        values.next(property.value, "a number");
}

}  // namespace

void parse_ply(std::string_view bytes, SurfaceBuilder& surface) {
  TextCursor lines(bytes);
  const Header header = parse_header(lines);
  Values values(header.encoding, lines.rest());
  for (const Element& element : header.elements) {
    require_room(element, values);
    if (element.name == "vertex")
      read_vertices(element, values, surface);
    else if (element.name == "face")
      read_faces(element, values, surface);
    else
      skip(element, values);
  }
}

}  // namespace osteon::open3d_support
