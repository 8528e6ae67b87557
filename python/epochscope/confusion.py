"""Confusion matrices and predictions of single instances, from what training code has at hand."""

import numpy as np

from .encode import array, number, to_numpy

#: A reader takes no more classes.
MOST_CLASSES = 2048


def as_matrix(given, names=None):
    """A square matrix of counts from one, or from `(y_true, y_pred)`; rows are then the true classes.

    Classes are numbers from 0, or names if `names` lists them. Predictions may be scores [instance, class].
    """
    if isinstance(given, tuple) and len(given) == 2:
        true, predicted = (_labels(labels, names) for labels in given)
        if len(true) != len(predicted):
            raise ValueError(f"{len(true)} true and {len(predicted)} predicted classes")
        lowest = min([int(v.min()) for v in (true, predicted) if len(v)], default=0)
        largest = max([int(v.max()) + 1 for v in (true, predicted) if len(v)], default=0)
        size = len(names) if names else largest
        if lowest < 0 or largest > size or size > MOST_CLASSES:
            raise ValueError(f"classes must be numbers from 0 to {min(size, MOST_CLASSES) - 1}")
        return np.bincount(true * size + predicted, minlength=size * size).reshape(size, size)
    matrix = to_numpy(given)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] > MOST_CLASSES:
        raise ValueError(f"a confusion matrix is square with at most {MOST_CLASSES} classes, not {matrix.shape}")
    if names and len(names) != len(matrix):
        raise ValueError(f"{len(names)} names for {len(matrix)} classes")
    return matrix


def _labels(labels, names):
    labels = to_numpy(labels)
    if labels.ndim == 2:
        labels = labels.argmax(1)
    labels = labels.reshape(-1)
    if labels.dtype.kind in "US":
        place = {name: i for i, name in enumerate(names or [])}
        return np.array([place[str(label)] for label in labels], dtype=np.int64)
    return labels.astype(np.int64)


def is_weighted(matrix):
    """Whether its counts are fractions."""
    return bool(matrix.dtype.kind == "f" and not np.all(np.mod(matrix, 1) == 0))


def sparse(matrix):
    """Triples of a large matrix that is mostly zero, else None."""
    rows, columns = np.nonzero(matrix)
    if len(matrix) <= 32 or 3 * len(rows) > matrix.size / 2:
        return None
    return [[int(i), int(j), c] for i, j, c in zip(rows, columns, matrix[rows, columns])]


def prediction_columns(ids, y, yhat, p, logits, loss, attrs, text, digits):
    """The columns of a `pred` record, all of one length, or ValueError."""
    columns = {"id": [str(i) for i in (ids.tolist() if hasattr(ids, "tolist") else ids)]}
    for name, values in (("y", y), ("yhat", yhat)):
        if values is not None:
            columns[name] = [v if isinstance(v, str) else number(v, digits) for v in to_numpy(values).tolist()]
    for name, values in (("p", p), ("logits", logits), ("loss", loss)):
        if values is not None:
            columns[name] = array(values, digits, nested=True)
    if text is not None:
        columns["text"] = list(text)
    for name, values in {**columns, **(attrs or {})}.items():
        if len(values) != len(columns["id"]):
            raise ValueError(f"{len(values)} values of {name} for {len(columns['id'])} ids")
    if attrs:
        columns["attrs"] = {str(k): list(v.tolist() if hasattr(v, "tolist") else v) for k, v in attrs.items()}
    return columns
