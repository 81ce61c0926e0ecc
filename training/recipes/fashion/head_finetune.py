"""The last stage: the layers after the features are trained alone, on features that are computed once.

A step costs a fiftieth of a step of the whole network, so these layers learn all that the features hold
(EXPERIMENTS.md). The layers that make the vectors start from new weights, which gives better retrieval than their
weights so far. The widest layer is trained at full rank and reduced to a lower rank afterwards, which is served as two
narrow layers (`publishing/served_form.py`). At the end the anchors are placed: the vector's part for the kind moves
towards the mean vectors of the types, and of the types in a colour, that it is near.
"""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.networks.fashion import ANCHOR_LAYERS, VECTOR_LAYERS, copy_head, head_network, place_anchors
from training.progress import Terminal
from training.recipes.fashion.batches import ORDER, UNMOVED, Batches, ImageGroup, groups_of
from training.recipes.fashion.look_finetune import finetune_look, scene_pairs, street_pairs
from training.recipes.fashion.materials import DrawnImages, Places
from training.recipes.fashion.plan import FashionPlan
from training.recipes.fashion.trainer import FashionTrainer

HEAD_NAME = "head_finetune.npz"
DROPOUT = 0.4
RANK = 512  # of the widest layer's weights at the end
IMAGES_A_BATCH = 256
INPUTS_A_BATCH = 4096
MOST_BACKGROUNDS = 2_000  # with features
CROPS = {"paired crops": "crops"}  # groups with the features of another
Features = NDArray[np.float16]
Extract = Callable[[Any], Features]


@dataclass(frozen=True)
class ViewFeatures:
    """The features of some images, seen in one or more ways.

    Attributes:
        positions: of the images in their source, int64 (n,), ascending.
        views: float16 (views, n, 2016).
    """

    positions: Places
    views: Features

    def of(self, positions: Places, rng: np.random.Generator) -> Features:
        """Return the features of these images, float16 (m, 2016), each of a view that is drawn."""
        places = np.searchsorted(self.positions, positions)
        return self.views[rng.integers(0, len(self.views), len(positions)), places]


@dataclass(frozen=True)
class FeatureCache:
    """The features of the training part by the name of its group, as in `groups_of`."""

    plan: FashionPlan
    batches: Batches
    groups: dict[str, ViewFeatures]

    @classmethod
    def of(cls, network: Any, batches: Batches, terminal: Terminal) -> "FeatureCache":
        """Compute the features. The studio shots are unchanged; one view of each other picture is."""
        extract, plan, materials = _extractor(network), batches.plan, batches.materials
        count = min(MOST_BACKGROUNDS, len(materials.backgrounds))
        everything = DrawnImages(
            products=materials.products,
            pairs=materials.paired,
            street=materials.garments,
            photos=materials.photos,
            negatives=materials.pictures,
            backgrounds=np.linspace(0, len(materials.backgrounds) - 1, count).astype(np.int64),
        )
        computed: dict[str, ViewFeatures] = {}
        for name, (positions, group) in groups_of(materials, everything).items():
            if name == "paired crops" or not len(positions):
                continue
            unmoved = ImageGroup(group.images, UNMOVED, 0.0)
            groups = [unmoved] if name == "products" else [unmoved] + [group] * plan.finetune_views
            groups = [group] if name == "backgrounds" else groups
            tracked = terminal.track(enumerate(groups), len(groups), f"features of {name}")
            seeds = [plan.seed, 9, len(computed)]
            views = [_group_features(extract, view, batches.size, [*seeds, number]) for number, view in tracked]
            computed[name] = ViewFeatures(positions, np.stack(views))
        computed["scenes"] = _scene_features(extract, batches, computed["products"].views[0], terminal)
        return cls(plan.finetune(len(materials.products)), batches, computed)

    def __call__(self, step: int) -> tuple[Features, dict[str, NDArray[Any]]]:
        """Return a step's features and targets in the order of `Batches`."""
        rng, materials = np.random.default_rng([self.plan.seed, 8, step]), self.batches.materials
        drawn = materials.draw(rng, self.plan, last_stage=True)
        known = self.groups["backgrounds"].positions
        backgrounds = known[rng.integers(0, len(known), len(drawn.backgrounds))]
        positions = vars(drawn) | {"cutouts": drawn.pairs, "scenes": drawn.products, "paired crops": drawn.pairs}
        positions |= {"crops": drawn.street, "backgrounds": backgrounds}
        ordered = [(CROPS.get(name, name), positions[name]) for name in ORDER if len(positions[name])]
        parts = [self.groups[name].of(places, rng) for name, places in ordered]
        return np.concatenate(parts), materials.targets(drawn)


def finetune_head(trainer: FashionTrainer, batches: Batches, terminal: Terminal) -> None:
    """Train the layers after the features alone, and give the network their weights."""
    network = trainer.network
    cache = FeatureCache.of(network, batches, terminal)
    keras.utils.set_random_seed(trainer.plan.seed)
    head = head_network(network, DROPOUT, fresh_layers=VECTOR_LAYERS)
    head_trainer = FashionTrainer(head, trainer.details, cache.plan)
    for step in terminal.track(range(cache.plan.steps), cache.plan.steps, "finetuning the head"):
        head_trainer.train(*cache(step))
    head_trainer.take_averages()
    inputs = [cache.groups[name].views[0] for name in ("products", "scenes", "photos", "crops") if name in cache.groups]
    reduce_rank(head.get_layer("similarity_hidden"), inputs)
    materials = batches.materials
    if "cutouts" in cache.groups:
        street = street_pairs(cache.groups, materials.street_categories)
        finetune_look(head, street, scene_pairs(cache.groups, materials.studio.categories), trainer.plan.seed)
    products = cache.groups["products"]
    classes = {name: getattr(materials.studio, name)[products.positions] for name, _ in ANCHOR_LAYERS.values()}
    place_anchors(head, _kinds(head, products.views[0]), classes)
    copy_head(head, network)


def _kinds(head: Any, features: Features) -> NDArray[np.float32]:
    starts = range(0, len(features), INPUTS_A_BATCH)
    batches = [features[start : start + INPUTS_A_BATCH].astype(np.float32) for start in starts]
    return np.concatenate([head(batch, training=False)["kind"].numpy() for batch in batches])


def _extractor(network: Any) -> Extract:
    body = keras.Model(network.input, network.get_layer("features").output)
    run = tf.function(
        lambda images: tf.cast(body(tf.cast(images, tf.float32), training=False), tf.float16), reduce_retracing=True
    )
    return lambda images: np.asarray(run(images))


def _scene_features(extract: Extract, batches: Batches, on_white: Features, terminal: Terminal) -> ViewFeatures:
    """Return the features of products in scenes, and those on white of the products for which none are computed."""
    plan, products = batches.plan, batches.materials.products
    views = np.repeat(on_white[None], plan.finetune_scenes, 0)
    count = max(1, round(plan.finetune_scene_share * len(products)))
    passes = []
    for view in range(plan.finetune_scenes):
        places = np.sort(np.random.default_rng([plan.seed, 11, view]).permutation(len(products))[:count])
        passes += [(view, places[start : start + IMAGES_A_BATCH]) for start in range(0, count, IMAGES_A_BATCH)]
    for number, (view, places) in enumerate(terminal.track(passes, len(passes), "features of scenes")):
        views[view, places] = extract(batches.scenes(products[places], number))
    return ViewFeatures(products, views)


def _group_features(extract: Extract, group: ImageGroup, size: int, seed: list[int]) -> Features:
    rng = np.random.default_rng(seed)
    starts = range(0, len(group.images), IMAGES_A_BATCH)
    parts = [group.part(slice(start, start + IMAGES_A_BATCH)) for start in starts]
    return np.concatenate([extract(part.views(rng, size, [seed[-1], n])) for n, part in enumerate(parts)])


def reduce_rank(layer: Any, inputs: Sequence[Features], rank: int = RANK) -> None:
    """Reduce a dense layer's weights to a rank, with the least squared change of its outputs before the activation.

    Args:
        layer: with a bias.
        inputs: of the layer, each (n, width).
        rank: of the weights afterwards.
    """
    kernel, bias = layer.get_weights()
    total, products, count = np.zeros(len(bias)), np.zeros((len(bias), len(bias))), 0
    for part in inputs:
        for start in range(0, len(part), INPUTS_A_BATCH):
            outputs = part[start : start + INPUTS_A_BATCH].astype(np.float32) @ kernel
            total += outputs.sum(axis=0)
            products += outputs.T @ outputs
            count += len(outputs)
    mean = total / count
    directions = np.linalg.eigh(products / count - np.outer(mean, mean))[1][:, -rank:]
    projection = directions @ directions.T
    layer.set_weights([kernel @ projection, bias + mean - mean @ projection])


def save_head(network: Any, run_dir: Path) -> None:
    """Write the weights of the layers after the features, whole or not at all."""
    head = head_network(network, DROPOUT)
    temporary = run_dir / f"{HEAD_NAME}.part"
    with temporary.open("wb") as file:
        np.savez(file, *head.get_weights())
    temporary.replace(run_dir / HEAD_NAME)


def load_head(network: Any, run_dir: Path) -> bool:
    """Give the network the finetuned weights in the run's directory; say whether they are there, undamaged."""
    head = head_network(network, DROPOUT)
    try:
        with np.load(run_dir / HEAD_NAME, allow_pickle=False) as file:
            head.set_weights([file[f"arr_{place}"] for place in range(len(file.files))])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False
    copy_head(head, network)
    return True
