"""Losses on unit vectors: classes by their proxies, and a product by its other picture.

Proxies: normalised softmax, Zhai & Wu (arXiv:1811.12649). Pictures: InfoNCE (arXiv:1807.03748) with the vectors of earlier
batches as further negatives, cross-batch memory (arXiv:1912.06798).
"""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class Sought:
    """What pictures show: product ids int64 (n,) and categories int32 (n,)."""

    ids: Any
    categories: Any


def masked_cross_entropy(logits: Any, classes: Any, smoothing: float = 0.0) -> Any:
    """Return the mean cross entropy of those whose class is known (not −1), float32 scalar; 0 where none is.

    Args:
        logits: float32 (n, classes).
        classes: int32 (n,).
        smoothing: share of the target spread over all classes.
    """
    known = tf.cast(classes >= 0, tf.float32)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(classes, 0), logits)
    if smoothing:
        each = (1 - smoothing) * each - smoothing * tf.reduce_mean(tf.nn.log_softmax(logits), axis=1)
    return tf.reduce_sum(each * known) / tf.maximum(tf.reduce_sum(known), 1.0)


def same_product(queries: Any, gallery: Any, targets: "Sought", theirs: "Sought", temperature: float) -> Any:
    """Return the mean cross entropy of finding each product's own vector among its category's, float32 scalar.

    Args:
        queries: float32 (n, dim), unit length: pictures of products on backgrounds.
        gallery: float32 (m, dim), unit length: pictures on white; those of the queries' products are the first n, in order.
        targets: what the queries show.
        theirs: what the gallery shows; ids of −1 for an empty place.
        temperature: what similarities are divided by.
    """
    places = tf.range(tf.shape(queries)[0])
    own = tf.one_hot(places, tf.shape(gallery)[0], on_value=True, off_value=False)
    others = (targets.ids[:, None] != theirs.ids[None, :]) & (theirs.ids[None, :] >= 0)
    rivals = others & (targets.categories[:, None] == theirs.categories[None, :])
    logits = tf.where(own | rivals, tf.matmul(queries, gallery, transpose_b=True) / temperature, -1e9)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(places, logits))
