"""What can be said in the log: a method for each type of record."""

from . import confusion, statistics
from .encode import array, number, plain, to_numpy
from .guard import guarded


class Records:
    """Methods of a log that has `record`, `digits`, `clock`, `troubles` and `_tasks`. None of them raises."""

    @guarded
    def log_config(self, values):
        """Hyper-parameters; a dataclass, a namespace or a mapping, which may be nested."""
        values = values if isinstance(values, dict) else vars(values)
        self.record("hparams", values={k: v for k, v in plain(values, self.digits).items() if v is not None})

    @guarded
    def log_scalars(self, step, values=None, *, split=None, epoch=None, n=None, group=None, **metrics):
        """Metrics at a step: `log_scalars(10, split="train", loss=2.3)`, or a dict. `n`: of how many samples."""
        metrics = {**(values or {}), **metrics}
        numbers = {k: v if isinstance(v, dict) else number(v, self.digits) for k, v in metrics.items() if v is not None}
        self.record("scalar", step=int(step), epoch=epoch, wall=self.clock(), split=split, group=group, n=n, v=numbers)

    @guarded
    def log_layer(self, step, name, kind, *, split=None, epoch=None, **stats):
        """Statistics of one tensor of a layer; `kind`: weight, grad, act, update, moment."""
        self.record("layer", step=int(step), epoch=epoch, name=str(name), kind=kind, split=split, **stats)

    @guarded
    def log_histogram(self, step, name, values=None, *, counts=None, edges=None, kind="weight", bins=30, split=None,
                      **stats):
        """A histogram of `values` (not finite ones are counted apart), or of given `counts` and `edges`."""
        if counts is None:
            values = to_numpy(values)
            stats = {**statistics.describe(values), **stats}
            counts, edges = statistics.histogram(values, bins)
        edges = statistics.rounded_edges(edges, self.digits)
        counts = statistics.whole(to_numpy(counts))
        self.record("hist", step=int(step), name=str(name), kind=kind, split=split,
                    edges=array(edges, 17, nested=True), counts=array(counts, self.digits, nested=True), **stats)

    @guarded
    def log_classes(self, names, task=None, positive=None):
        """Names of the classes in the order of rows and columns. Returns the task's name."""
        names = tuple(str(n) for n in names)
        if names in self._tasks:
            return self._tasks[names]
        task = str(task) if task is not None else f"task{len(self._tasks) + 1}" if self._tasks else "main"
        self._tasks[names] = task
        self.record("classes", task=task, names=list(names), positive=positive)
        return task

    @guarded
    def log_confusion(self, step, matrix, classes=None, *, split="val", epoch=None, rows="true", group=None):
        """A confusion matrix: square, with `rows` saying what rows are; or `(y_true, y_pred)` as class numbers.

        `classes`: names; without them those of the last matrix, or those that the log was made with.
        """
        if rows not in ("true", "pred"):
            raise ValueError(f'rows must be "true" or "pred", not {rows!r}')
        known = list(self._tasks)
        names = [str(n) for n in classes] if classes is not None else list(known[-1]) if known else None
        matrix = confusion.as_matrix(matrix, names)
        names = names or [str(i) for i in range(len(matrix))]
        task = self.log_classes(names)
        weighted = confusion.is_weighted(matrix)
        entries = confusion.sparse(matrix)
        if entries is not None:
            entries = [[i, j, number(c, self.digits)] for i, j, c in entries]
        dense = array(matrix, self.digits, nested=len(matrix) <= 32) if entries is None else None
        self.record("confusion", step=int(step), epoch=epoch, wall=self.clock(), split=split, group=group, rows=rows,
                    labels=task, m=dense, sparse=entries, weighted=weighted)

    @guarded
    def log_predictions(self, step, ids, y=None, yhat=None, *, p=None, logits=None, loss=None, attrs=None, text=None,
                        split="val", epoch=None):
        """Predictions of single instances, columns of equal length. The same `ids` over epochs show which are hard,
        ambiguous or mislabelled. One of `yhat`, `p` and `logits` ([instance, class]) is enough."""
        columns = confusion.prediction_columns(ids, y, yhat, p, logits, loss, attrs, text, self.digits)
        self.record("pred", step=int(step), epoch=epoch, split=split, **columns)

    @guarded
    def log_perplexity(self, step, layer, counts, edges, *, filters=None, n=None, no_response=None, split=None):
        """How many responses had which perplexity since the last such record, in buckets that never change."""
        self.record("perplexity", step=int(step), layer=str(layer), filters=filters, n=n, split=split,
                    edges=array(edges, self.digits, nested=True), counts=array(counts, self.digits, nested=True),
                    no_response=no_response)

    @guarded
    def log_units(self, step, layer, stat, values, *, ids=None, freq=None, split=None):
        """One number for each unit of a layer: `mean_act`, `max_act` (with `freq`), `eta2`, or any word."""
        self.record("units", step=int(step), layer=str(layer), stat=stat, ids=ids, split=split,
                    v=array(values, self.digits), freq=None if freq is None else array(freq, self.digits))

    @guarded
    def log_similarity(self, step, value=None, *, layer=None, to=None, layers=None, matrix=None,
                       method="cka_unbiased", split=None):
        """How alike two representations are: one `value` of a layer `to` another state, or a `matrix` of `layers`."""
        self.record("sim", step=int(step), layer=layer, to=to, method=method, value=value, layers=layers, split=split,
                    m=None if matrix is None else array(matrix, self.digits, nested=True))

    @guarded
    def log_map(self, step, values, *, kind, layer=None, method=None, id=None, **more):
        """Numbers in the plane: `filter` ([filter, row, column]), `activation`, `saliency`, `token`."""
        self.record("map", step=int(step), kind=kind, layer=layer, method=method, id=id,
                    v=array(values, self.digits), **more)

    @guarded
    def log_credit(self, step, layer, unit, c, *, target=None, total=None, method="grad*act"):
        """What each unit of a layer contributed to a target: activation times gradient, summed over the batch."""
        self.record("credit", step=int(step), target=target, layer=layer, method=method, unit=array(unit, 17),
                    c=array(c, self.digits), total=total)

    @guarded
    def log_noise(self, step, b_small, b_big, g2_small, g2_big):
        """Squared gradient norms of a small and of a large batch; the noise scale follows from them."""
        self.record("noise", step=int(step), b_small=b_small, b_big=b_big, g2_small=g2_small, g2_big=g2_big)

    @guarded
    def log_text(self, step, name, v, id=None):
        """A text, such as a generated sample."""
        self.record("text", step=int(step), wall=self.clock(), name=name, v=str(v), id=id)

    @guarded
    def log_event(self, kind, v=None, *, step=None, **more):
        """`checkpoint` with its path, `restart`, or any word."""
        self.record("event", step=None if step is None else int(step), wall=self.clock(), kind=str(kind), v=v, **more)

    @guarded
    def log_alert(self, rule, msg=None, *, step=None, severity="warn", where=None, evidence=None):
        """An alert that the trainer raises itself; `severity`: info, warn, critical."""
        self.record("alert", step=None if step is None else int(step), wall=self.clock(), rule=rule, severity=severity,
                    where=where, msg=msg, evidence=evidence, by="trainer")
