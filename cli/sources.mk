# what belongs to cli/
