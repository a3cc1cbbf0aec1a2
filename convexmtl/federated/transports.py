"""Ways from a coordinator to parties and back: functions of a request that return the answers of all parties."""


class LocalTransport:
    """Asks parties that are in this process: for trials, and as what another transport has to do.

    Parameters
    ----------
    parties : list of Party

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.federated import LocalTransport, Party
    >>> LocalTransport([Party(np.eye(20, 3), np.ones(20), name="north")])
    LocalTransport([Party('north', 20 rows, 3 features)])
    """

    def __init__(self, parties):
        self.parties = list(parties)

    def __repr__(self):
        return f"LocalTransport({self.parties!r})"

    def __call__(self, request):
        return [party.answer(request) for party in self.parties]


class DaskTransport:
    """Asks parties that live on workers of Dask, each as an actor beside its rows.

    A party is where its rows are, and keeps what it has told; with its worker it is lost, which is an error then: it
    is never made again behind your back, as its privacy would be spent anew.

    Parameters
    ----------
    client : distributed.Client
    parts : list of tuple
        (X, y) or (X, y, task) of every party, each of them a future, so that rows stay where they are, or data.
    options : list of dict, default=None
        More arguments of every Party.

    Examples
    --------
    >>> import numpy as np
    >>> from distributed import Client
    >>> from convexmtl import MeanRegularizedRegressor
    >>> from convexmtl.federated import DaskTransport, fit
    >>> rng = np.random.default_rng(0)
    >>> parts = [(rng.normal(size=(30, 4)), rng.normal(size=30), [name] * 30) for name in ("north", "south")]
    >>> with Client(processes=False, n_workers=1, dashboard_address=":0") as client:
    ...     model = fit(MeanRegularizedRegressor(), DaskTransport(client, parts))
    >>> model.tasks_.tolist()
    ['north', 'south']
    """

    def __init__(self, client, parts, options=None):
        options = [{}] * len(parts) if options is None else options
        if len(options) != len(parts):
            raise ValueError(f"options must be one dict for each of the {len(parts)} parties, got {len(options)}.")
        self.client = client
        # (Kept: where workers are threads of this process a party goes with its future, and who asks waits for ever.)
        self._made = [
            client.submit(_party, *part, actor=True, pure=False, **given)
            for part, given in zip(parts, options, strict=True)
        ]
        self.parties = client.gather(self._made)

    def __repr__(self):
        return f"DaskTransport({len(self.parties)} parties)"

    def __call__(self, request):
        asked = [party.answer(request) for party in self.parties]
        return [self._result(k, one) for k, one in enumerate(asked)]

    def _result(self, k, asked):
        try:
            return asked.result()
        except (OSError, ValueError) as error:
            if "Actor" not in str(error):
                raise
            raise RuntimeError(
                f"party {k} of {len(self.parties)} is lost with its worker, and nobody knows what it has told: "
                "begin anew with another DaskTransport."
            ) from error


def _party(*part, **options):
    from .party import Party

    return Party(*part, **options)
