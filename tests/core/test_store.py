"""Which version of a model is served: the promoted one, else the newest; never half a pointer."""

import threading

import pytest
from gapo_core.bundle import Architecture, BundleError, Golden, Manifest, publish
from gapo_core.store import DEFAULT, default_bundles, list_bundles, promote, promoted


def put(store, name: str, version: str) -> None:
    def write(work) -> None:
        (work / "model.onnx").write_bytes(version.encode())
        (work / "tokenizer.json").write_text("{}")

    manifest = Manifest(
        name=name,
        version=version,
        created_at="2026-01-01T00:00:00+00:00",
        architecture=Architecture(layers=1, hidden=8, heads=2, window=64, block=32, max_tokens=128),
        golden=Golden(prompt="p", response="r", score=0.5),
        files={},
    )
    publish(store, manifest, write)


@pytest.fixture
def store(tmp_path):
    for name, version in [("a", "1.9"), ("a", "1.10"), ("a", "1.2"), ("b", "1")]:
        put(tmp_path, name, version)
    return tmp_path


def names(paths) -> list[str]:
    return [f"{path.parent.name}/{path.name}" for path in paths]


def test_versions_are_listed_as_numbers(store) -> None:
    assert names(list_bundles(store)) == ["a/1.2", "a/1.9", "a/1.10", "b/1"]


def test_without_a_promotion_the_newest_is_served(store) -> None:
    assert names(default_bundles(store)) == ["a/1.10", "b/1"]


def test_a_promoted_version_is_served_until_another_is(store) -> None:
    promote(store, "a", "1.2")
    assert names(default_bundles(store)) == ["a/1.2", "b/1"]
    put(store, "a", "2")
    assert names(default_bundles(store)) == ["a/1.2", "b/1"]
    promote(store, "a", "2")
    assert names(default_bundles(store)) == ["a/2", "b/1"]
    assert names(list_bundles(store)) == ["a/1.2", "a/1.9", "a/1.10", "a/2", "b/1"]


def test_a_damaged_or_missing_bundle_is_not_promoted(store) -> None:
    promote(store, "a", "1.9")
    (store / "a/1.10/model.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError, match="sha256 differs"):
        promote(store, "a", "1.10")
    with pytest.raises(BundleError, match="cannot be read"):
        promote(store, "a", "7")
    assert names(default_bundles(store)) == ["a/1.9", "b/1"]


def test_a_bundle_under_another_name_is_not_promoted(store) -> None:
    (store / "b/1").rename(store / "b/3")
    with pytest.raises(BundleError, match="its manifest is of b 1"):
        promote(store, "b", "3")


@pytest.mark.parametrize("content", [b"9\n", b"", b"../b/1", b"/", b"\xff", b"1.2\n1.9"])
def test_a_pointer_to_nothing_is_an_error_with_the_remedy(store, content) -> None:
    (store / "a" / DEFAULT).write_bytes(content)
    with pytest.raises(BundleError, match="promote"):
        default_bundles(store)


def test_readers_see_one_version_or_the_other(store) -> None:
    promote(store, "a", "1.2")
    seen, stop = set(), threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(promoted(store / "a").name)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        promote(store, "a", ("1.2", "1.9")[number % 2])
    stop.set()
    reader.join()
    assert seen <= {"1.2", "1.9"}
    assert [p.name for p in (store / "a").iterdir() if p.name.startswith(".")] == [DEFAULT]
