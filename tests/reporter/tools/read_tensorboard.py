"""Reads a folder as TensorBoard does and prints it as JSON; shares no code with the writer.

    read_tensorboard.py FOLDER            every event, and the projector's maps
    read_tensorboard.py FILE --corrupt    changes each byte in turn; prints how many changes a checksum noticed

The messages are declared here (field numbers of tensorboard/compat/proto and plugins/projector) and parsed by
Google's protobuf; the checksum is crcmod's.
"""

import base64
import json
import pathlib
import struct
import sys

import crcmod.predefined
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, text_format

crc_32c = crcmod.predefined.mkPredefinedCrcFun("crc-32c")


class Broken(Exception):
    pass


def messages():
    """Message name → class, from lines "Message: number type name [, …]"."""
    declared = {
        "Event": "1 double wall_time, 2 int64 step, 3 string file_version, 5 Summary summary",
        "Summary": "1 Value* value",
        "Value": "1 string tag, 2 float simple_value, 4 Image image, 9 SummaryMetadata metadata",
        "Image": "1 int32 height, 2 int32 width, 3 int32 colorspace, 4 bytes encoded_image_string",
        "SummaryMetadata": "3 string summary_description",
        "ProjectorConfig": "2 EmbeddingInfo* embeddings",
        "EmbeddingInfo": "1 string tensor_name, 2 string metadata_path, 5 SpriteMetadata sprite, 6 string tensor_path",
        "SpriteMetadata": "1 string image_path, 2 uint32* single_image_dim",
    }
    file = descriptor_pb2.FileDescriptorProto(name="events.proto", package="t", syntax="proto3")
    field_type = descriptor_pb2.FieldDescriptorProto
    for message, fields in declared.items():
        described = file.message_type.add(name=message)
        for field in fields.split(", "):
            number, kind, name = field.split(" ")
            added = described.field.add(name=name, number=int(number))
            added.label = field_type.LABEL_REPEATED if kind.endswith("*") else field_type.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            if kind in declared:
                added.type, added.type_name = field_type.TYPE_MESSAGE, ".t." + kind
            else:
                added.type = getattr(field_type, "TYPE_" + kind.upper())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName("t." + name)) for name in declared}


def masked(data):
    crc = crc_32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        if len(data) - at < 12:
            raise Broken(f"a record's head at byte {at} is cut off")
        length, crc = struct.unpack_from("<QI", data, at)
        if crc != masked(data[at : at + 8]):
            raise Broken(f"the checksum of the length at byte {at} is wrong")
        message = data[at + 12 : at + 12 + length]
        if len(data) < at + 16 + length:
            raise Broken(f"the record at byte {at} is cut off")
        if struct.unpack_from("<I", data, at + 12 + length)[0] != masked(message):
            raise Broken(f"the checksum of the message at byte {at} is wrong")
        yield message
        at += 16 + length


def png_size(data):
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        raise Broken("a picture is no PNG")
    return struct.unpack_from(">II", data, 16)


def event_dict(event):
    if set(field.name for field, _ in event.ListFields()) - {"wall_time", "step", "file_version", "summary"}:
        raise Broken("an event has unknown fields")
    result = {"time": event.wall_time, "step": event.step, "version": event.file_version, "values": []}
    for value in event.summary.value:
        if len(value.UnknownFields()) > 0:
            raise Broken("a value has unknown fields")
        one = {"tag": value.tag, "description": value.metadata.summary_description}
        if value.HasField("image"):
            image = value.image
            if png_size(image.encoded_image_string) != (image.width, image.height):
                raise Broken("a picture is not as large as it is said to be")
            one["image"] = [image.height, image.width, image.colorspace]
            one["png"] = base64.b64encode(image.encoded_image_string).decode()
        else:
            one["scalar"] = value.simple_value if value.simple_value == value.simple_value else "nan"
        result["values"].append(one)
    return result


def embedding_dict(folder, embedding):
    tensors = [
        [float(number) for number in line.split("\t")]
        for line in (folder / embedding.tensor_path).read_text("utf-8").splitlines()
    ]
    # With more than one column the first line has the columns' names.
    names, *rows = [line.split("\t") for line in (folder / embedding.metadata_path).read_text("utf-8").splitlines()]
    if len(rows) != len(tensors):
        raise Broken(f"{len(tensors)} points, but {len(rows)} lines of metadata")
    result = json_format.MessageToDict(embedding, preserving_proto_field_name=True)
    result.update(tensors=tensors, names=names, rows=rows)
    if embedding.HasField("sprite"):
        tile_width, tile_height = embedding.sprite.single_image_dim
        width, height = png_size((folder / embedding.sprite.image_path).read_bytes())
        if width % tile_width or height % tile_height or (width // tile_width) * (height // tile_height) < len(rows):
            raise Broken("the sprite does not hold the thumbnails")
        result["sprite_size"] = [width, height]
    return result


def folder_dict(folder):
    kinds = messages()
    files = sorted(path for path in folder.iterdir() if "tfevents" in path.name)
    events = [event_dict(kinds["Event"].FromString(record)) for file in files for record in records(file.read_bytes())]
    config = kinds["ProjectorConfig"]()
    if (folder / "projector_config.pbtxt").exists():
        text_format.Parse((folder / "projector_config.pbtxt").read_text("utf-8"), config)
    return {
        "files": [file.name for file in files],
        "events": events,
        "maps": [embedding_dict(folder, embedding) for embedding in config.embeddings],
    }


def noticed_changes(data):
    noticed = 0
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x10
        try:
            list(records(bytes(changed)))
        except Broken:
            noticed += 1
    return {"bytes": len(data), "noticed": noticed}


if __name__ == "__main__":
    path = pathlib.Path(sys.argv[1])
    try:
        print(json.dumps(noticed_changes(path.read_bytes()) if "--corrupt" in sys.argv else folder_dict(path)))
    except Broken as problem:
        sys.exit(f"{path}: {problem}")
