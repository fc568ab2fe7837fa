"""NAS-Bench-101's official files, written here by the protocol buffer library."""

import base64
import json
import struct

import numpy as np
import pytest

from nasbench_suite.benchmarks.nasbench101_records import EPOCHS, read_records
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.tfrecord import crc32c, read_tfrecord
from nasbench_suite.spaces import nasbench101

descriptor_pb2 = pytest.importorskip("google.protobuf.descriptor_pb2")


@pytest.fixture(scope="module")
def model_metrics():
    """The message class of NASBench's ``model_metrics.proto``."""
    from google.protobuf import descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="m.proto", package="nasbench", syntax="proto2")
    data = file.message_type.add(name="EvaluationData")
    for number, name in enumerate(
        ("current_epoch", "training_time", "train_accuracy", "validation_accuracy"), start=1
    ):
        data.field.add(name=name, number=number, type=field.TYPE_DOUBLE, label=1)
    data.field.add(name="test_accuracy", number=5, type=field.TYPE_DOUBLE, label=1)
    data.field.add(name="checkpoint_path", number=6, type=field.TYPE_STRING, label=1)
    metrics = file.message_type.add(name="ModelMetrics")
    metrics.field.add(
        name="evaluation_data",
        number=1,
        type=field.TYPE_MESSAGE,
        label=3,
        type_name=".nasbench.EvaluationData",
    )
    metrics.field.add(name="trainable_parameters", number=2, type=field.TYPE_INT32, label=1)
    metrics.field.add(name="total_time", number=3, type=field.TYPE_DOUBLE, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))


def _crc_bit_by_bit(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _framed(data):
    def masked(part):
        crc = _crc_bit_by_bit(part)
        return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


@pytest.fixture(scope="module")
def trainings(model_metrics):
    """Records of the 7 smallest modules, in an order that mixes epochs, and what they hold."""
    rng = np.random.default_rng(0)
    modules = list(nasbench101.all_modules(3)) + list(nasbench101.all_modules(4))[7:12]
    records, expected = [], {}
    for repeat in range(3):
        for fingerprint, module in modules:
            matrix, operations = nasbench101.format_module(module).split()
            for epochs in rng.permutation(EPOCHS).tolist():
                message = model_metrics(trainable_parameters=1000 * module.edges + 200)
                for part in (0.0, epochs / 2, float(epochs)):
                    message.evaluation_data.add(
                        current_epoch=part,
                        training_time=7.5 * part,
                        train_accuracy=rng.random(),
                        validation_accuracy=rng.random(),
                        test_accuracy=rng.random(),
                    )
                if fingerprint == modules[2][0]:  # as the schema allows too
                    message.evaluation_data[1].checkpoint_path = "model.ckpt-1"
                else:
                    message.total_time = rng.random()
                last = message.evaluation_data[2]
                expected[fingerprint, epochs, repeat] = (
                    last.training_time,
                    100 * last.validation_accuracy,
                    100 * last.test_accuracy,
                )
                packed = base64.b64encode(message.SerializeToString()).decode()
                records.append(
                    json.dumps([fingerprint, epochs, matrix, operations, packed]).encode()
                )
    return records, expected


@pytest.fixture
def file(trainings, tmp_path):
    path = tmp_path / "nasbench.tfrecord"
    path.write_bytes(b"".join(map(_framed, trainings[0])))
    return path


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"123456789", 0xE3069283),
        (b"\0" * 32, 0x8A9136AA),  # this and the next: RFC 3720, B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"", 0),
    ],
)
def test_crc32c_of_published_examples(data, crc):
    others = [b"", b"1234567", b"\0" * 20]
    assert crc32c([data, *others, data]).tolist()[:: len(others) + 1] == [crc] * 2


def test_records_come_back_in_batches_of_any_size(trainings, file):
    for batch in (1, 7, 1000):
        read = [record for records in read_tfrecord(file, batch) for record in records]
        assert read == trainings[0]


def test_figures_are_those_written(trainings, file):
    figures = read_records(file)
    expected = trainings[1]
    assert sorted(figures.hashes) == sorted({fingerprint for fingerprint, _, _ in expected})
    by_name = {metric.name: metric for metric in figures.metrics}
    assert len(by_name) == 3 * len(EPOCHS) + 1
    for (fingerprint, epochs, repeat), values in expected.items():
        row = figures.hashes.index(fingerprint)
        for figure, value in zip(("train_time", "valid", "test"), values, strict=True):
            metric = by_name[f"cifar10_{figure}_{epochs}"]
            assert figures.columns[metric.seed_column(repeat)][row] == value
    for row, architecture in enumerate(figures.architectures):
        module = nasbench101.parse_module(architecture)
        assert nasbench101.graph_hash(module) == figures.hashes[row]
        assert figures.columns["parameters"][row] == 1000 * module.edges + 200


def _rewritten(record, **options):
    """The same entries as JSON written otherwise."""
    return json.dumps(json.loads(record), **options).encode()


@pytest.mark.parametrize(
    "other",
    [
        lambda record: _rewritten(record, separators=(",", ":")),
        lambda record: b'["\\u%04x' % record[2] + record[3:],
        lambda record: record.replace(b'"]', b'\\n"]'),  # as base64.encodebytes ends
    ],
)
def test_the_same_figures_however_the_records_are_written(trainings, file, other):
    usual = read_records(file)
    records = [other(record) if k % 2 else record for k, record in enumerate(trainings[0])]
    file.write_bytes(b"".join(map(_framed, records)))
    found = read_records(file)
    assert list(found.hashes) == list(usual.hashes)
    assert found.architectures[:] == usual.architectures[:]
    for name, column in usual.columns.items():
        np.testing.assert_array_equal(found.columns[name], column)


def test_records_longer_than_what_is_read_at_once(trainings, file, monkeypatch):
    for size in (1, 100, 1000):
        monkeypatch.setattr("nasbench_suite.files.tfrecord._BLOCK", size)
        read = [record for records in read_tfrecord(file) for record in records]
        assert read == trainings[0]


def test_file_of_108_epochs_alone(trainings, tmp_path):
    path = tmp_path / "nasbench_only108.tfrecord"
    of_108 = [record for record in trainings[0] if json.loads(record)[1] == 108]
    path.write_bytes(b"".join(map(_framed, of_108)))
    metrics = read_records(path).metrics
    assert {metric.epochs for metric in metrics} == {108, None}


@pytest.mark.parametrize("kept", [5, 11, 300, -1, -4])
def test_truncated_file_is_refused(file, kept):
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(SuiteError, match="truncated"):
        read_records(file)


def test_every_damaged_byte_of_a_record_is_found(trainings, file):
    content = bytearray(_framed(trainings[0][0]))
    for place in range(len(content)):
        content[place] ^= 0x20
        file.write_bytes(content)
        with pytest.raises(SuiteError, match="does not have the checksum written with it"):
            read_records(file)
        content[place] ^= 0x20


def _write(path, *entry):
    path.write_bytes(_framed(json.dumps(entry).encode()))


def test_what_is_no_record_is_refused(trainings, file):
    fingerprint, epochs, matrix, operations, packed = json.loads(trainings[0][0])
    other = "0" * 32
    for entry, sentence in (
        ((other, epochs, matrix, operations, packed), f"hash {other}"),
        ((fingerprint, 5, matrix, operations, packed), "5 epochs"),
        ((fingerprint, epochs, matrix, packed), "entries"),
        ((fingerprint, epochs, matrix, "input", packed), "operations"),
        ((fingerprint, epochs, "0000", "input,output", packed), "no path"),
        ((fingerprint, epochs, matrix, operations, "AAA"), "none of NAS-Bench-101"),
        ((fingerprint, epochs, matrix, operations, "CgkJ"), "protocol buffer"),
        ((fingerprint, epochs, matrix, operations, ""), "0 evaluations"),
    ):
        _write(file, *entry)
        with pytest.raises(SuiteError, match=sentence):
            read_records(file)
    file.write_bytes(_framed(b"no json") + _framed(trainings[0][0]))
    with pytest.raises(SuiteError, match="Record 0"):
        read_records(file)
    file.write_bytes(b"")
    with pytest.raises(SuiteError, match="no record"):
        read_records(file)


def test_a_fourth_training_is_refused(trainings, file):
    file.write_bytes(_framed(trainings[0][0]) * 4)
    with pytest.raises(SuiteError, match="more than 3 trainings"):
        read_records(file)
