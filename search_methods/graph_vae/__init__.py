"""Variational auto-encoders of cells, and what their latent space is good for.

``model.py`` is ours, read it first. ``arch2vec.py``, ``dvae.py`` and ``sequence_vae.py`` are those
it is compared with. Only modules that are asked for import torch.
"""
