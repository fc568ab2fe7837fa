"""What differentiable and one-shot methods share: cells, supernets, images and the bilevel loop.

``operations`` are the candidates, ``cell`` mixes and sums them, ``network`` puts cells into a
skeleton, ``data`` has the images, ``search`` is the loop, ``diagnostics`` looks inside.
"""
