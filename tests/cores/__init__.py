import pytest

pytest.register_assert_rewrite("tests.cores.core_contract")
