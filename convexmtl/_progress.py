"""Progress for scikit-learn's callbacks, where scikit-learn has them (1.9 and later)."""

from functools import wraps

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:
        """Nothing to support."""

    def with_callbacks(method):
        """Nothing to manage; a frame all the same, which warnings have to count."""

        @wraps(method)
        def unmanaged(estimator, *args, **kwargs):
            return method(estimator, *args, **kwargs)

        return unmanaged


class Steps:
    """The steps of one fit, told to the callbacks of the estimator as they are done."""

    def __init__(self, estimator, n_steps, X, y):
        self.estimator, self.data, self.context = estimator, dict(X=X, y=y), None
        # (Without callbacks, of its own or of what it is in, nobody reads what would be made here.)
        if getattr(estimator, "_skl_callbacks", ()) or hasattr(estimator, "_parent_callback_ctx"):
            self.context = estimator._init_callback_context(max_subtasks=n_steps)
            self.context.call_on_fit_task_begin(estimator=estimator, **self.data)

    def done(self, name):
        if self.context is not None:
            step = self.context.subcontext(task_name=name)
            step.call_on_fit_task_begin(estimator=self.estimator, **self.data)
            step.call_on_fit_task_end(estimator=self.estimator, **self.data)

    def end(self):
        if self.context is not None:
            self.context.call_on_fit_task_end(estimator=self.estimator, **self.data)
