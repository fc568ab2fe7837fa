"""Runtimes: what turns a network into something that can be run and timed.

All run the same layers with the same random weights; a latency depends on neither. Each is
imported when first asked for: ONNX Runtime needs ``nasbench-suite[hardware]``, the torch ones
``nasbench-suite[torch]``, OpenVINO its own package. A further runtime is one file with a subclass
of ``Runtime``, and one line under the entry point group ``nasbench_suite.runtimes``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError, choose_from, refused
from nasbench_suite.networks import Layer, Network
from nasbench_suite.parsing import check_at_most, check_counts

Run = Callable[[], NDArray[np.float32]]
"""Computes one batch and returns its class scores, shape (batch, classes)."""
Precision = Literal["float32", "float16"]

_OPSET, _IR_VERSION = 17, 9  # old enough for any ONNX Runtime of the last years
_EPSILON = 1e-5
_MOST_THREADS = 1024  # more than any device's cores


@dataclass(frozen=True)
class RunOptions:
    """How a network is run.

    Attributes:
        batch: images in a batch.
        threads: threads of the runtime.
        precision: numeric type of weights and activations.
        device: ``cpu`` or ``cuda``.
    """

    batch: int = 1
    threads: int = 1
    precision: Precision = "float32"
    device: Literal["cpu", "cuda"] = "cpu"

    def __post_init__(self) -> None:
        check_counts("A runtime", self, "batch threads")
        check_at_most("A runtime", self, "threads", _MOST_THREADS)
        if self.precision not in ("float32", "float16"):
            raise SuiteError(choose_from("precision", self.precision, ["float32", "float16"]))
        if self.device not in ("cpu", "cuda"):
            raise SuiteError(choose_from("device", self.device, ["cpu", "cuda"]))


class Runtime(ABC):
    """Something that can run a network.

    Attributes:
        packages: the distributions whose versions a latency belongs to.
    """

    packages: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def prepare(self, network: Network, options: RunOptions) -> Run:
        """What runs one batch of a network, with ``make_weights`` on ``make_images``.

        Raises:
            SuiteError: it cannot do what ``options`` say.
            ImportError: a package that it needs is not installed.
        """


def make_weights(network: Network, seed: int = 0) -> dict[int, dict[str, NDArray[np.float32]]]:
    """Random weights by layer number, scaled so that activations keep their size.

    ``weight`` of a convolution (out, in / groups, k, k), of the classifier (classes, in) with
    ``bias``, of a normalisation ``weight``, ``bias``, ``mean`` and ``variance`` (channels,).
    """
    rng = np.random.default_rng(seed)
    weights: dict[int, dict[str, NDArray[np.float32]]] = {}
    for number, layer in enumerate(network.layers):
        if layer.kind in ("conv", "linear"):
            source = network.layers[layer.inputs[0]].channels // layer.groups
            window = (layer.kernel,) * 2 if layer.kind == "conv" else ()
            shape = (layer.channels, source, *window)
            spread = np.sqrt(2.0 / (source * layer.kernel**2))
            weights[number] = {"weight": rng.normal(0, spread, shape).astype(np.float32)}
            if layer.kind == "linear":
                weights[number]["bias"] = np.zeros(layer.channels, dtype=np.float32)
        elif layer.kind == "norm":
            draws = rng.uniform(0.5, 1.5, size=(4, layer.channels)).astype(np.float32)
            names = ("weight", "bias", "mean", "variance")
            weights[number] = dict(zip(names, draws, strict=True))
    return weights


def make_images(network: Network, batch: int, seed: int = 0) -> NDArray[np.float32]:
    """Random images, shape (batch, channels, height, width)."""
    shape = (batch, *network.image)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def prepare(runtime: str, network: Network, options: RunOptions) -> Run:
    """What runs one batch of a network in a runtime.

    Raises:
        SuiteError: unknown runtime, or it is not installed or cannot do what ``options`` say.
    """
    chosen = registry.load_object("runtimes", runtime, Runtime)
    with (
        registry.find("runtimes", runtime).explained(),
        refused(
            f"A batch of {options.batch} images does not fit into memory ({{reason}}): give a "
            f"smaller one.",
            MemoryError,
        ),
    ):
        return chosen.prepare(network, options)


# -- ONNX ----------------------------------------------------------------------------------------


def onnx_model(network: Network, options: RunOptions) -> Any:
    """The network as an ONNX model with a fixed batch, built node by node.

    Raises:
        SuiteError: the network draws random numbers.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    half = options.precision == "float16"
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    initializers: list[Any] = []
    nodes: list[Any] = []

    def constant(name: str, values: NDArray[Any]) -> str:
        array = values.astype(np.float16) if half and values.dtype == np.float32 else values
        initializers.append(numpy_helper.from_array(array, name))
        return name

    weights = make_weights(network)
    for number, layer in enumerate(network.layers):
        reads, out = [f"x{source}" for source in layer.inputs], f"x{number}"
        for key, values in weights.get(number, {}).items():
            reads.append(constant(f"{key}{number}", values))
        if layer.kind == "linear":
            nodes.append(helper.make_node("Flatten", reads[:1], [f"flat{number}"]))
            reads[0] = f"flat{number}"
        elif layer.kind == "zero":
            same = network.layers[layer.inputs[0]].channels == layer.channels
            shape = () if same else (options.batch, layer.channels, layer.size, layer.size)
            held = constant(f"zero{number}", np.zeros(shape, dtype=np.float32))
            reads = [*reads, held] if same else [held]
        elif layer.kind in ("sample", "take"):
            nodes += _slice_inputs(network, layer, reads, number, constant)
        elif layer.kind == "input":
            continue
        name, attributes = _onnx_operator(layer, len(reads))
        nodes.append(helper.make_node(name, reads, [out], **attributes))
    image = helper.make_tensor_value_info("x0", kind, [options.batch, *network.image])
    scores = helper.make_tensor_value_info(
        f"x{len(network.layers) - 1}", kind, [options.batch, network.classes]
    )
    graph = helper.make_graph(nodes, "network", [image], [scores], initializers)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
    )
    onnx.checker.check_model(model)
    return model


def _onnx_operator(layer: Layer, inputs: int) -> tuple[str, dict[str, Any]]:
    """The operator of a layer and its attributes.

    Raises:
        SuiteError: the layer draws random numbers.
    """
    window = {
        "kernel_shape": [layer.kernel] * 2,
        "strides": [layer.stride] * 2,
        "pads": [layer.padding] * 4,
    }
    match layer.kind:
        case "conv":
            dilations = [layer.dilation] * 2
            return "Conv", {**window, "dilations": dilations, "group": layer.groups}
        case "norm":
            return "BatchNormalization", {"epsilon": _EPSILON}
        case "pool":
            return "AveragePool", {**window, "count_include_pad": 0}
        case "max_pool":
            return "MaxPool", window
        case "linear":
            return "Gemm", {"transB": 1}
        case "concat":
            return "Concat", {"axis": 1}
        case "zero":
            return ("Mul" if inputs > 1 else "Identity"), {}
        case "noise":
            raise SuiteError(
                "A network with noise in place of an operation computes nothing that a runtime "
                "could be checked by: measure other architectures."
            )
        case _:
            names = {"relu": "Relu", "add": "Add", "global_pool": "GlobalAveragePool"}
            names |= {"sample": "Slice", "take": "Slice", "drop_path": "Identity"}
            return names[layer.kind], {}


def _slice_inputs(
    network: Network,
    layer: Layer,
    reads: list[str],
    number: int,
    constant: Callable[[str, NDArray[Any]], str],
) -> list[Any]:
    """Add to what a slice reads where it starts, ends, along which axes and by which steps.

    Returns:
        What has to be computed before: zeros behind an image of odd side.
    """
    from onnx import helper

    source = network.layers[layer.inputs[0]]
    before = []
    if layer.kind == "take":
        bounds = [[0], [layer.channels], [1], [1]]
    else:
        end = source.size + source.size % 2
        bounds = [[layer.offset] * 2, [end] * 2, [2, 3], [layer.stride] * 2]
        if layer.offset and end > source.size:
            pads = constant(f"pads{number}", np.array([0, 0, 0, 0, 0, 0, 1, 1], dtype=np.int64))
            before = [helper.make_node("Pad", [reads[0], pads], [f"padded{number}"])]
            reads[0] = f"padded{number}"
    for key, values in zip(("starts", "ends", "axes", "steps"), bounds, strict=True):
        reads.append(constant(f"{key}{number}", np.array(values, dtype=np.int64)))
    return before


def _run_onnxruntime(network: Network, options: RunOptions) -> Run:
    import onnxruntime

    providers = ["CPUExecutionProvider"]
    if options.device == "cuda":
        providers = ["CUDAExecutionProvider"]
        if providers[0] not in onnxruntime.get_available_providers():
            raise SuiteError(
                "This ONNX Runtime has no CUDA: install onnxruntime-gpu, or measure on cpu."
            )
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        onnx_model(network, options).SerializeToString(), settings, providers=providers
    )
    images = make_images(network, options.batch)
    feed = {"x0": images.astype(np.float16) if options.precision == "float16" else images}
    return lambda: np.asarray(session.run(None, feed)[0])


def _run_openvino(network: Network, options: RunOptions) -> Run:
    import io

    import openvino

    if options.device != "cpu":
        raise SuiteError("Runtime 'openvino' measures on cpu: leave the device out.")
    core = openvino.Core()
    model = core.read_model(io.BytesIO(onnx_model(network, options).SerializeToString()))
    settings = {
        "INFERENCE_NUM_THREADS": options.threads,
        "NUM_STREAMS": 1,
        # Left alone, it computes in bfloat16 where the processor can.
        "INFERENCE_PRECISION_HINT": "f16" if options.precision == "float16" else "f32",
    }
    compiled = core.compile_model(model, "CPU", settings)
    images = make_images(network, options.batch)
    feed = [images.astype(np.float16) if options.precision == "float16" else images]
    request = compiled.create_infer_request()
    return lambda: np.asarray(request.infer(feed)[0])


# -- torch ---------------------------------------------------------------------------------------


def torch_module(network: Network) -> Any:
    """The network as a torch module in evaluation mode, with ``make_weights``."""
    import torch

    from nasbench_suite.networks.module import LayersModule

    module = LayersModule(network).eval()
    names = {"mean": "running_mean", "variance": "running_var"}
    with torch.no_grad():
        for number, values in make_weights(network).items():
            for key, array in values.items():
                getattr(module.layers[number], names.get(key, key)).copy_(torch.from_numpy(array))
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


def _run_torch(
    network: Network, options: RunOptions, compiled: Literal["", "script", "inductor"]
) -> Run:
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        raise SuiteError("torch sees no CUDA device here: measure on cpu.")
    torch.set_num_threads(options.threads)
    kind = torch.float16 if options.precision == "float16" else torch.float32
    module = torch_module(network).to(options.device, kind)
    images = torch.from_numpy(make_images(network, options.batch)).to(options.device, kind)
    with torch.inference_mode():
        if compiled == "script":
            module = torch.jit.optimize_for_inference(
                torch.jit.freeze(torch.jit.trace(module, images))  # type: ignore[no-untyped-call]
            )
        elif compiled == "inductor":
            module = torch.compile(module)

    def run() -> NDArray[np.float32]:
        with torch.inference_mode():
            scores = module(images)
            return np.asarray(scores.cpu())  # waits for the device

    return run


class OnnxRuntime(Runtime):
    """ONNX Runtime, on a processor or with CUDA."""

    packages = ("onnxruntime", "onnx")

    def prepare(self, network: Network, options: RunOptions) -> Run:
        """See ``Runtime``."""
        return _run_onnxruntime(network, options)


class OpenVino(Runtime):
    """OpenVINO, on a processor."""

    packages = ("openvino", "onnx")

    def prepare(self, network: Network, options: RunOptions) -> Run:
        """See ``Runtime``."""
        return _run_openvino(network, options)


class Torch(Runtime):
    """PyTorch as it stands, layer by layer."""

    packages = ("torch",)
    compiled: ClassVar[Literal["", "script", "inductor"]] = ""

    def prepare(self, network: Network, options: RunOptions) -> Run:
        """See ``Runtime``."""
        return _run_torch(network, options, self.compiled)


class TorchScript(Torch):
    """PyTorch, traced, frozen and optimised for inference."""

    compiled = "script"


class TorchCompile(Torch):
    """PyTorch, compiled by torch.compile."""

    compiled = "inductor"


def runtime_versions(runtime: str) -> dict[str, str]:
    """Versions of the packages behind a runtime, and of NumPy.

    Raises:
        SuiteError: there is no such runtime.
    """
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in (*registry.load_object("runtimes", runtime, Runtime).packages, "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
