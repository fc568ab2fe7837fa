"""Small models of NAS-Bench-301 made, saved and asked by its authors' own code.

Run where the packages of 2020 are (Python 3.8; ConfigSpace 0.4.12, xgboost, lightgbm 2.3.1, numpy
1.19, scikit-learn 0.23, matplotlib, seaborn, pathvalidate), with a checkout of automl/nasbench301:

    python nasbench301.py CHECKOUT FOLDER NAME         # boosters, as NAME and NAME_runtime
    python nasbench301.py CHECKOUT FOLDER NAME --gin   # graph networks; needs PyTorch Geometric

They are fitted to made-up figures of random cells. FOLDER/NAME.json has what the authors' code
answers: genotypes, and by member and cell. What the models do not use (TensorFlow, and for boosters
PyTorch) is replaced by empty modules; all else runs as published.
"""

import json
import os
import random
import sys
import types
from pathlib import Path

CELLS, ASKED, MEMBERS = 500, 60, 2
ROUNDS, LEAVES = 8, 5
WIDTH, LAYERS = 6, 3
OPERATIONS = (
    *("max_pool_3x3", "avg_pool_3x3", "skip_connect"),
    *("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"),
)


def genotype(rng):
    """Both cells of a random architecture, the edges of a node in any order."""
    return [
        [
            (rng.choice(OPERATIONS), source)
            for node in range(2, 6)
            for source in rng.sample(range(node), 2)
        ]
        for _ in range(2)
    ]


def worth(cells):
    """A made-up accuracy."""
    normal, reduction = (
        sum(OPERATIONS.index(name) * (1 + 0.2 * source) for name, source in cell) for cell in cells
    )
    return 88 + 0.12 * normal - 0.0006 * normal**2 + 0.01 * reduction


def empty(name, **content):
    """A module that nothing is asked of."""
    module = types.ModuleType(name)
    module.__dict__.update(content)
    sys.modules[name] = module
    return module


def without_unused():
    """Let the authors' package be imported without what its boosters do not use."""
    empty("IPython", embed=None, get_ipython=lambda: None)
    backends = empty("torch.backends")
    empty("torch.backends.cudnn")
    cuda = empty("torch.cuda", manual_seed=lambda seed: None)
    empty("torch", manual_seed=lambda seed: None, cuda=cuda, backends=backends)
    models = "nasbench301.surrogate_models."
    for module, name in (
        ("bananas.bananas", "BANANASModel"),
        ("bananas.bananas_utils", "BANANASDataset"),
        ("gnn.gnn", "GNNSurrogateModel"),
        ("svr.svr", "SVR"),
        ("svr.nu_svr", "NuSVR"),
        ("random_forrest.sklearn_forest", "SklearnForest"),
    ):
        empty(models + module.partition(".")[0])
        empty(models + module, **{name: type(name, (), {"__init__": lambda self, *a, **k: None})})
    empty("nasbench301.model_downloader", download_models=None)


def make_boosters(folder, name):
    """Train and save both kinds of boosters, and ask them."""
    without_unused()
    from nasbench301 import api, representations
    from nasbench301.surrogate_models.ensemble import Ensemble

    def published(cells):
        return representations.Genotype(cells[0], [2, 3, 4, 5], cells[1], [2, 3, 4, 5])

    rng = random.Random(0)
    data = folder / "data" / "made"
    data.mkdir(parents=True, exist_ok=True)
    for number in range(CELLS):
        cells = genotype(rng)
        config = representations.convert_genotype_to_config(published(cells))
        result = {
            "optimized_hyperparamater_config": {**api.fixed_hyperparameters, **config},
            "info": [{"val_accuracy": worth(cells) + rng.gauss(0, 0.1)}],
            "test_accuracy": worth(cells),
            "runtime": 100 * worth(cells) ** 1.1 + rng.gauss(0, 50),
        }
        (data / f"results_{number}.json").write_text(json.dumps(result))
    split = {"train": 0.8, "val": 0.1, "test": 0.1, "type": "all_result_paths"}
    common = {"early_stopping_rounds": 20, "param:bananas_enc": False, "param:num_rounds": ROUNDS}
    xgb = {"model": "xgb", "param:booster": "gbtree", "param:learning_rate": 0.7}
    xgb = {**xgb, "param:max_depth": 4, "param:colsample_bytree": 0.7, "param:nthread": 1}
    lgb = {"model": "lgb_time", "param:num_leaves": LEAVES, "param:learning_rate": 0.3}
    lgb = {**lgb, "param:num_threads": 1, "param:feature_fraction": 0.7}
    asked = [genotype(rng) for _ in range(ASKED)]
    answers = {"genotypes": [str(published(cells)) for cells in asked]}
    for kind, config in (("", xgb), ("_runtime", lgb)):
        path = folder / (name + kind)
        ensemble = Ensemble(
            member_model_name=config["model"],
            data_root=str(folder / "data"),
            log_dir=str(path),
            starting_seed=6,
            model_config={**common, **config},
            data_config={"made": {**split, "filepath_regex": "made/results_*.json"}},
            ensemble_size=MEMBERS,
        )
        ensemble.train()
        ensemble.save()
        loaded = api.load_ensemble(str(path))
        means, members = [], {}
        for cells in asked:
            config = loaded.convert_representation(published(cells), "genotype")
            told = loaded.model.query_members({**api.fixed_hyperparameters, **config})
            for place, answer in zip(loaded.model.member_logdirs, told):  # noqa: B905 -- Python 3.8
                members.setdefault(os.path.basename(place), []).append(float(answer[0]))
            mean = loaded.predict(published(cells), "genotype", with_noise=False)
            means.append(float(mean))
        answers[name + kind] = {"members": members, "mean": means}
    return answers


def make_networks(folder, name):
    """Train graph networks a little, so that no statistics are the first, save and ask them."""
    for package in (
        "",
        ".surrogate_models",
        ".surrogate_models.gnn",
        ".surrogate_models.gnn.models",
    ):
        place = Path(sys.path[0], "nasbench301", *package.split(".")[1:])
        empty("nasbench301" + package, __path__=[str(place)])
    import torch
    from nasbench301 import representations
    from nasbench301.surrogate_models.gnn.gnn_utils import NASBenchDataset
    from nasbench301.surrogate_models.gnn.models.gincnn import GIN
    from torch_geometric import utils
    from torch_geometric.data import Batch

    loops = utils.add_remaining_self_loops  # whose argument had another name before version 2
    utils.add_remaining_self_loops = lambda edge_index, edge_weight, fill_value: loops(
        edge_index, edge_weight, fill_value
    )
    config = {
        "model": "gnn_gin",
        "gnn_hidden_dimensions": WIDTH,
        "num_gnn_layers": LAYERS,
        "graph_pooling": "mean",
        "dropout_prob": 0.03,
        "virtual_node": True,
        "graph_preprocessing:undirected_graph": False,
        "graph_preprocessing:self_loops": False,
        "graph_preprocessing:add_node_degree_one_hot": True,
        **json.loads(os.environ.get("NASBENCH301_GIN", "{}")),
    }
    dataset = NASBenchDataset.__new__(NASBenchDataset)
    dataset.model_config = config

    class Configuration(dict):
        """As much of ConfigSpace's as is asked."""

        @property
        def _values(self):
            return self

    rng = random.Random(0)
    asked = [genotype(rng) for _ in range(ASKED)]
    published = [representations.Genotype(n, [2, 3, 4, 5], r, [2, 3, 4, 5]) for n, r in asked]
    graphs = [
        dataset.config_space_instance_to_pytorch_geometric_instance(
            Configuration(representations.convert_genotype_to_config(one))
        )
        for one in published
    ]
    figures = torch.tensor([worth(cells) / 100 for cells in asked])
    members = {}
    for number in range(MEMBERS):
        torch.manual_seed(number)
        model = GIN(dim_features=2, dim_target=1, model_config=config)
        for weight_name, weight in model.named_parameters():
            if weight_name.endswith("eps") or "virtualnode_embedding" in weight_name:
                torch.nn.init.normal_(weight, std=0.3)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(20):
            chosen = rng.sample(range(ASKED), 30)
            told = model(Batch.from_data_list([graphs[place] for place in chosen]))
            loss = ((told - figures[chosen]) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        path = folder / name / f"ensemble_member_{number}"
        path.mkdir(parents=True, exist_ok=True)
        with torch.no_grad():
            members[path.name] = (model(Batch.from_data_list(graphs)) * 100).tolist()
        # The first as PyTorch 1.5 writes, which the authors had, the others as newer ones do.
        torch.save(
            model.state_dict(),
            path / "surrogate_model.model",
            _use_new_zipfile_serialization=number > 0,
        )
        (path / "model_config.json").write_text(json.dumps(config))
    means = [sum(told) / MEMBERS for told in zip(*members.values())]  # noqa: B905
    return {"genotypes": list(map(str, published)), name: {"members": members, "mean": means}}


if __name__ == "__main__":
    checkout, folder, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    sys.path.insert(0, checkout)
    made = (make_networks if "--gin" in sys.argv else make_boosters)(folder, name)
    (folder / f"{name}.json").write_text(json.dumps(made))
