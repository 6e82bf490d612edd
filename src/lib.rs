//! Nothing: this package exists for the tests in `tests/`.
