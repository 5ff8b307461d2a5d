import pytest

from pivot.definition.discovery import Source, discover
from pivot.errors import DefinitionError


def test_pipeline_file_at_the_root_is_a_source(tmp_path):
    (tmp_path / "pipeline.py").write_text("raise SystemExit")  # nothing is imported
    assert discover(str(tmp_path)) == ("pipeline.py",)


def test_configured_module_is_a_source_with_or_without_a_pipeline_file(tmp_path):
    assert discover(str(tmp_path), "pkg.stages") == ("module:pkg.stages",)
    (tmp_path / "pipeline.py").touch()
    assert discover(str(tmp_path), "pkg.stages") == ("pipeline.py", "module:pkg.stages")


def test_source_knows_its_module():
    assert Source("module:pkg.stages").module == "pkg.stages"
    assert Source("pipeline.py").module is None


def test_project_without_sources_is_told_how_to_begin(tmp_path):
    with pytest.raises(DefinitionError) as caught:
        discover(str(tmp_path))
    assert "from pivot import stage" in caught.value.hint


@pytest.mark.parametrize("name", ["", "pkg/stages.py", "pkg..a", "1st", "a b"])
def test_what_is_no_module_name_is_refused(tmp_path, name):
    with pytest.raises(DefinitionError, match="no module name"):
        discover(str(tmp_path), name)
