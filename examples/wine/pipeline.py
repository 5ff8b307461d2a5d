"""Which of three growers made a wine? A pipeline of five stages.

    data/wine.csv -> prepare -> split -> train -> evaluate -> plot

Run it with `pivot repro`. Nothing here lists the code that a stage uses: Pivot finds that out.

Stages import their libraries when they run. That keeps this file quick to load, however heavy
pandas and scikit-learn are, and Pivot follows an import wherever it stands.
"""

import json
import pickle
from pathlib import Path

from pivot import Metric, Out, Plot, stage
from pydantic import BaseModel, Field


class SplitParams(BaseModel):
    """How the wines are divided; `params.yaml` overrides."""

    test_share: float = Field(0.25, gt=0, lt=1)
    seed: int = 7


class TrainParams(BaseModel):
    """How the classifier learns; `params.yaml` overrides."""

    regularisation: float = Field(1.0, gt=0)
    max_iterations: int = 1000


@stage(deps=["data/wine.csv"], outs=[Out("build/wines.csv")])
def prepare():
    """Drop incomplete and repeated wines."""
    import pandas as pd

    wines = pd.read_csv("data/wine.csv").dropna().drop_duplicates()
    wines.to_csv("build/wines.csv", index=False)
    print(f"{len(wines)} wines, {wines.shape[1] - 1} measurements each")


@stage(
    deps=["build/wines.csv"],
    outs=[Out("build/train.csv"), Out("build/test.csv")],
    params=SplitParams,
)
def split(params: SplitParams):
    """Set wines aside that the classifier never sees, of every grower the same share."""
    import pandas as pd
    from sklearn.model_selection import train_test_split

    from features.matrix import LABEL

    wines = pd.read_csv("build/wines.csv")
    train_set, test_set = train_test_split(
        wines,
        test_size=params.test_share,
        stratify=wines[LABEL],
        random_state=params.seed,
    )
    train_set.to_csv("build/train.csv", index=False)
    test_set.to_csv("build/test.csv", index=False)
    print(f"{len(train_set)} wines to learn from, {len(test_set)} to test with")


@stage(deps=["build/train.csv"], outs=[Out("build/model.pkl")], params=TrainParams)
def train(params: TrainParams):
    """Fit a logistic regression, and keep it with the scale of its features."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    from features.matrix import LABEL, feature_matrix, learn_features

    wines = pd.read_csv("build/train.csv")
    scale = learn_features(wines)
    classifier = LogisticRegression(C=params.regularisation, max_iter=params.max_iterations)
    classifier.fit(feature_matrix(wines, scale), wines[LABEL])
    Path("build/model.pkl").write_bytes(pickle.dumps((scale, classifier)))
    print(f"converged after {classifier.n_iter_[0]} iterations")


@stage(
    deps=["build/model.pkl", "build/test.csv"],
    outs=[Out("build/predictions.csv"), Metric("metrics.json")],
)
def evaluate():
    """Predict the growers of the test set, and measure how well."""
    import pandas as pd

    from features.matrix import LABEL, feature_matrix
    from reports.scores import scores

    scale, classifier = pickle.loads(Path("build/model.pkl").read_bytes())
    wines = pd.read_csv("build/test.csv")
    chances = classifier.predict_proba(feature_matrix(wines, scale))
    predicted = classifier.classes_[chances.argmax(axis=1)]
    metrics = scores(wines[LABEL], predicted, chances)
    Path("metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    predictions = pd.DataFrame(
        {"actual": wines[LABEL], "predicted": predicted, "chance": chances.max(axis=1).round(4)}
    )
    predictions.to_csv("build/predictions.csv", index=False)
    print(f"accuracy {metrics['accuracy']}, log loss {metrics['log_loss']}")


@stage(deps=["build/predictions.csv"], outs=[Plot("confusion.png")])
def plot():
    """Draw which growers were taken for which."""
    import pandas as pd

    from reports.confusion import draw_confusion

    predictions = pd.read_csv("build/predictions.csv")
    growers = sorted(predictions["actual"].unique())
    counts = pd.crosstab(predictions["actual"], predictions["predicted"])
    square = counts.reindex(index=growers, columns=growers, fill_value=0)
    draw_confusion(square.to_numpy(), [str(grower) for grower in growers], "confusion.png")
