"""Images by name: what networks and supernets are trained on, and how further ones come in.

``load_images`` gives them whole or at a reduced size that is stated in the name;
``nasbench data images`` imports them. A further data set is one line under the entry point group
``nasbench_suite.datasets``, which names a ``DataSet``.
"""

from nasbench_suite.datasets.images import Images, Split
from nasbench_suite.datasets.library import DataSet, import_images, load_images, verify_images

__all__ = ["DataSet", "Images", "Split", "import_images", "load_images", "verify_images"]
