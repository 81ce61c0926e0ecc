"""Losses on unit vectors: classes by their proxies, and a product by its other image.

Proxies: normalised softmax, Zhai & Wu (arXiv:1811.12649). Images: InfoNCE (arXiv:1807.03748) with the vectors of
earlier batches as additional negatives, cross-batch memory (arXiv:1912.06798).
"""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class ShownProducts:
    """The products of images: ids int64 (n,), −1 for an empty place, and categories int32 (n,)."""

    ids: Any
    categories: Any


def masked_cross_entropy(logits: Any, classes: Any, smoothing: float = 0.0) -> Any:
    """Return the mean cross entropy of the images whose class is known, float32 scalar; 0 if none is.

    Args:
        logits: float32 (n, classes).
        classes: int32 (n,), −1 where the class is not known.
        smoothing: share of the target spread over all classes.
    """
    known = tf.cast(classes >= 0, tf.float32)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(classes, 0), logits)
    if smoothing:
        entropy = (1 - smoothing) * entropy - smoothing * tf.reduce_mean(tf.nn.log_softmax(logits), axis=1)
    return tf.reduce_sum(entropy * known) / tf.maximum(tf.reduce_sum(known), 1.0)


def allowed_cross_entropy(logits: Any, rows: Any, allowed: Any, smoothing: float = 0.0) -> Any:
    """Return the mean cross entropy of any of the allowed classes, float32 scalar; 0 if no image has a row.

    It is minus the logarithm of the sum of the probabilities of the classes that an image's label allows.

    Args:
        logits: float32 (n, classes).
        rows: of `allowed`, int32 (n,), −1 for an image without a label.
        allowed: which classes each label allows, bool (labels, classes).
        smoothing: share of the target that is spread over all classes, for labels that allow one class.
    """
    known = tf.cast(rows >= 0, tf.float32)
    masks = tf.gather(allowed, tf.maximum(rows, 0))
    logarithms = tf.nn.log_softmax(logits)
    entropy = -tf.reduce_logsumexp(tf.where(masks, logarithms, -1e9), axis=1)
    if smoothing:
        share = smoothing * tf.cast(tf.reduce_sum(tf.cast(masks, tf.int32), axis=1) == 1, tf.float32)
        entropy = (1 - share) * entropy - share * tf.reduce_mean(logarithms, axis=1)
    return tf.reduce_sum(entropy * known) / tf.maximum(tf.reduce_sum(known), 1.0)


def aligned(queries: Any, gallery: Any) -> Any:
    """Return the mean squared distance of each query to its own place in the gallery, halved, float32 scalar.

    Args:
        queries: float32 (n, dim), unit length.
        gallery: float32 (m, dim), unit length, the queries' own first and in their order.
    """
    own = gallery[: tf.shape(queries)[0]]
    return tf.reduce_mean(1.0 - tf.reduce_sum(queries * own, axis=1))


def same_product(
    queries: Any, gallery: Any, query_products: ShownProducts, gallery_products: ShownProducts, temperature: float
) -> Any:
    """Return the mean cross entropy of finding each product's own vector among its category's, float32 scalar.

    Args:
        queries: float32 (n, dim), unit length: products on backgrounds.
        gallery: float32 (m, dim), unit length: products on white; the queries' products are the first n, in order.
        query_products: the products of the queries.
        gallery_products: the products of the gallery.
        temperature: what similarities are divided by.
    """
    places = tf.range(tf.shape(queries)[0])
    own = tf.one_hot(places, tf.shape(gallery)[0], on_value=True, off_value=False)
    stored = gallery_products.ids[None, :]
    others = (query_products.ids[:, None] != stored) & (stored >= 0)
    negatives = others & (query_products.categories[:, None] == gallery_products.categories[None, :])
    logits = tf.where(own | negatives, tf.matmul(queries, gallery, transpose_b=True) / temperature, -1e9)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(places, logits))
