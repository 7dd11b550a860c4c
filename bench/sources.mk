# what belongs to bench/
