# what belongs to tests/
