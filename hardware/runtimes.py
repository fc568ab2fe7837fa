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

from hardware.networks import Network
from nasbench_suite import registry
from nasbench_suite.errors import SuiteError, choose_from

Run = Callable[[], NDArray[np.float32]]
"""Computes one batch and returns its class scores, shape (batch, classes)."""
Precision = Literal["float32", "float16"]

_OPSET, _IR_VERSION = 17, 9  # old enough for any ONNX Runtime of the last years
_EPSILON = 1e-5


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
        for name in ("batch", "threads"):
            if getattr(self, name) < 1:
                raise SuiteError(
                    f"A {name} of {getattr(self, name)} is impossible: give 1 or more."
                )
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

    ``weight`` of a convolution (out, in, k, k), of the classifier (classes, in) with ``bias``, of
    a normalisation ``weight``, ``bias``, ``mean`` and ``variance`` (channels,).
    """
    rng = np.random.default_rng(seed)
    weights: dict[int, dict[str, NDArray[np.float32]]] = {}
    for number, layer in enumerate(network.layers):
        if layer.kind in ("conv", "linear"):
            source = network.layers[layer.inputs[0]].channels
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
    shape = (batch, *network.setting.image)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def prepare(runtime: str, network: Network, options: RunOptions) -> Run:
    """What runs one batch of a network in a runtime.

    Raises:
        SuiteError: unknown runtime, or it is not installed or cannot do what ``options`` say.
    """
    chosen = registry.load_object("runtimes", runtime, Runtime)
    with registry.find("runtimes", runtime).explained():
        return chosen.prepare(network, options)


# -- ONNX ----------------------------------------------------------------------------------------


def onnx_model(network: Network, options: RunOptions) -> Any:
    """The network as an ONNX model with a fixed batch, built node by node."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    half = options.precision == "float16"
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    initializers: list[Any] = []
    nodes: list[Any] = []

    def constant(name: str, values: NDArray[np.float32]) -> str:
        array = values.astype(np.float16) if half else values
        initializers.append(numpy_helper.from_array(array, name))
        return name

    weights = make_weights(network)
    for number, layer in enumerate(network.layers):
        reads, out = [f"x{source}" for source in layer.inputs], f"x{number}"
        held = {key: constant(f"{key}{number}", v) for key, v in weights.get(number, {}).items()}
        window: dict[str, Any] = {
            "kernel_shape": [layer.kernel] * 2,
            "strides": [layer.stride] * 2,
            "pads": [layer.padding] * 4,
        }
        if layer.kind == "conv":
            node = helper.make_node("Conv", [*reads, held["weight"]], [out], **window)
        elif layer.kind == "norm":
            node = helper.make_node(
                "BatchNormalization", [*reads, *held.values()], [out], epsilon=_EPSILON
            )
        elif layer.kind == "pool":
            node = helper.make_node("AveragePool", reads, [out], count_include_pad=0, **window)
        elif layer.kind == "zero":
            zero = constant(f"zero{number}", np.zeros((), dtype=np.float32))
            node = helper.make_node("Mul", [*reads, zero], [out])
        elif layer.kind == "linear":
            flat = f"flat{number}"
            nodes.append(helper.make_node("Flatten", reads, [flat]))
            node = helper.make_node("Gemm", [flat, held["weight"], held["bias"]], [out], transB=1)
        elif layer.kind == "input":
            continue
        else:
            names = {"relu": "Relu", "add": "Add", "global_pool": "GlobalAveragePool"}
            node = helper.make_node(names[layer.kind], reads, [out])
        nodes.append(node)
    image = helper.make_tensor_value_info("x0", kind, [options.batch, *network.setting.image])
    scores = helper.make_tensor_value_info(
        f"x{len(network.layers) - 1}", kind, [options.batch, network.setting.classes]
    )
    graph = helper.make_graph(nodes, "network", [image], [scores], initializers)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
    )
    onnx.checker.check_model(model)
    return model


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
    """The network as a torch module in evaluation mode."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional as F

    class Layers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.held = nn.ModuleDict()
            for number, values in make_weights(network).items():
                self.held[str(number)] = _torch_layer(network, number, values)

        def forward(self, images: Tensor) -> Tensor:
            x: list[Tensor] = [images]
            for number, layer in enumerate(network.layers[1:], start=1):
                first = x[layer.inputs[0]]
                if layer.kind == "linear":
                    out = self.held[str(number)](first.flatten(1))
                elif layer.kind in ("conv", "norm"):
                    out = self.held[str(number)](first)
                elif layer.kind == "relu":
                    out = F.relu(first)
                elif layer.kind == "pool":
                    out = F.avg_pool2d(
                        first, layer.kernel, layer.stride, layer.padding, count_include_pad=False
                    )
                elif layer.kind == "zero":
                    out = first * 0.0
                elif layer.kind == "global_pool":
                    out = F.adaptive_avg_pool2d(first, 1)
                else:
                    out = first + x[layer.inputs[1]]
                x.append(out)
            return x[-1]

    module = Layers().eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    assert torch.is_tensor(module.held[str(len(network.layers) - 1)].weight)
    return module


def _torch_layer(network: Network, number: int, values: dict[str, NDArray[np.float32]]) -> Any:
    import torch
    from torch import nn

    layer = network.layers[number]
    source = network.layers[layer.inputs[0]].channels
    made: Any
    if layer.kind == "conv":
        made = nn.Conv2d(
            source, layer.channels, layer.kernel, layer.stride, layer.padding, bias=False
        )
    elif layer.kind == "linear":
        made = nn.Linear(source, layer.channels)
    else:
        made = nn.BatchNorm2d(layer.channels, eps=_EPSILON)
    names = {"mean": "running_mean", "variance": "running_var"}
    with torch.no_grad():
        for key, array in values.items():
            getattr(made, names.get(key, key)).copy_(torch.from_numpy(array))
    return made


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
