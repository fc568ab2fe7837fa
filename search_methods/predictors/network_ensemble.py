"""An ensemble of small feedforward networks, all trained at once.

The predictor of BANANAS is retrained after every few evaluations, so its cost decides that of
the search. Networks this small spend their time between the products, not in them: stacking the
members of the ensemble into arrays trains five in the time of one, several times faster than a
library that trains them one after another, and with the loss the paper asks for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.99, 1e-7  # Adam, as the authors of BANANAS set it in Keras


@dataclass
class NetworkEnsemble:
    """Networks of ReLU layers that differ by their initial weights and the order of the data.

    Attributes:
        num_networks: members.
        num_layers: hidden layers of each.
        layer_width: units of each hidden layer.
        epochs: passes over the data.
        learning_rate: step size of Adam.
        batch_size: examples a step.
    """

    num_networks: int
    num_layers: int
    layer_width: int
    epochs: int
    learning_rate: float
    batch_size: int = 32

    def fit(self, inputs: Array, targets: Array, rng: np.random.Generator) -> None:
        """Train anew, by Adam on the mean absolute error.

        Args:
            inputs: shape (n, features).
            targets: shape (n,).
            rng: where initial weights and the order of the examples come from.
        """
        self._initialise(inputs.shape[1], rng)
        gradient = np.zeros_like(self.parameters)
        gradient_layers = self._layers(gradient)
        first, second = np.zeros_like(gradient), np.zeros_like(gradient)
        steps = 0
        order = np.tile(np.arange(len(inputs)), (self.num_networks, 1))
        for _ in range(self.epochs):
            rng.permuted(order, axis=1, out=order)
            for begin in range(0, len(inputs), self.batch_size):
                batch = order[:, begin : begin + self.batch_size]
                self._backpropagate(inputs[batch], targets[batch], gradient_layers)
                steps += 1
                first += (1 - _BETA_1) * (gradient - first)
                second += (1 - _BETA_2) * (gradient * gradient - second)
                scale = np.sqrt(second / (1 - _BETA_2**steps)) + _EPSILON
                self.parameters -= self.learning_rate / (1 - _BETA_1**steps) * first / scale

    def predict(self, inputs: Array) -> Array:
        """What each network answers, shape (networks, n)."""
        return self._activations(inputs)[-1][..., 0]

    def _initialise(self, features: int, rng: np.random.Generator) -> None:
        """Glorot's uniform weights and zero biases, all in one array that Adam can move."""
        hidden = (self.layer_width,) * self.num_layers
        self.shapes = list(zip((features, *hidden), (*hidden, 1), strict=True))
        size = sum((fan_in + 1) * fan_out for fan_in, fan_out in self.shapes)
        self.parameters = np.zeros(self.num_networks * size)
        self.layers = self._layers(self.parameters)
        for weights, _ in self.layers:
            limit = np.sqrt(6 / (weights.shape[1] + weights.shape[2]))
            weights[:] = rng.uniform(-limit, limit, weights.shape)

    def _layers(self, flat: Array) -> list[tuple[Array, Array]]:
        """The weights (networks, in, out) and biases (networks, 1, out) inside a flat array."""
        layers, begin = [], 0
        for fan_in, fan_out in self.shapes:
            end = begin + self.num_networks * fan_in * fan_out
            weights = flat[begin:end].reshape(self.num_networks, fan_in, fan_out)
            begin, end = end, end + self.num_networks * fan_out
            layers.append((weights, flat[begin:end].reshape(self.num_networks, 1, fan_out)))
            begin = end
        return layers

    def _activations(self, inputs: Array) -> list[Array]:
        """The inputs and what each layer makes of them, the last without ReLU."""
        activations = [inputs]
        *hidden, (last_weights, last_biases) = self.layers
        for weights, biases in hidden:
            outputs = activations[-1] @ weights
            outputs += biases
            activations.append(np.maximum(outputs, 0.0, out=outputs))
        activations.append(activations[-1] @ last_weights + last_biases)
        return activations

    def _backpropagate(
        self, inputs: Array, targets: Array, gradient_layers: list[tuple[Array, Array]]
    ) -> None:
        """Write the gradient of each network's mean absolute error into ``gradient_layers``.

        Args:
            inputs: a batch of its own for each network, shape (networks, batch, features).
            targets: shape (networks, batch).
            gradient_layers: views as ``_layers`` gives them.
        """
        activations = self._activations(inputs)
        error = np.sign(activations[-1] - targets[..., None]) / targets.shape[1]
        for layer in reversed(range(len(self.layers))):
            weight_gradient, bias_gradient = gradient_layers[layer]
            np.matmul(activations[layer].swapaxes(1, 2), error, out=weight_gradient)
            np.sum(error, axis=1, keepdims=True, out=bias_gradient)
            if layer:
                error = error @ self.layers[layer][0].swapaxes(1, 2)
                error *= activations[layer] > 0
