import pandas as pd
import pytest

from sidestep.tables import CHUNK, TEXTS, read_compact, spelt

HEAD = "study,dataset,variant,width,rule,seed,epoch,images,metric,component,value"
ROWS = [
    "s,mnist,a,16,8,0,1,test,loss,,0.25",
    "s,mnist,a,16,8,1,1,test,loss,,nan",
    "s,mnist,a,16,8,pooled,3,,rank,,7",
    "s,digits,b,,equal,10,3,train,spread,0.5,1e-300",
    "s,digits,b,,equal,,,,seconds_run,,12",
    "s,digits,c,4,,2,2,test,loss,3,inf",
]


def whole(path):
    """As pandas reads the table at once."""
    texts = dict.fromkeys(TEXTS, str)
    frame = pd.read_csv(path, dtype={**texts, "component": float}, low_memory=False)
    frame[["seed", "images"]] = frame[["seed", "images"]].fillna("")
    return frame


@pytest.mark.parametrize("chunk", [1, 2, 4, CHUNK])
@pytest.mark.parametrize("rows", [ROWS, ROWS[:3], ROWS[3:], ROWS[:1], []])
def test_a_table_read_in_parts_is_the_table(tmp_path, rows, chunk):
    path = tmp_path / "table.csv"
    path.write_text("\n".join([HEAD, *rows, ""]))
    found = spelt(read_compact(path, ("width", "rule"), chunk))
    pd.testing.assert_frame_equal(found, whole(path), check_dtype=bool(rows))


def test_texts_are_kept_once(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("\n".join([HEAD, *ROWS * 2000, ""]))
    found = read_compact(path, ("width", "rule"), 1000)
    texts = found[list(TEXTS)].memory_usage(index=False, deep=True)
    assert texts.max() < 1.2 * len(found)
