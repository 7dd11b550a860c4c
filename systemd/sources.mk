# what belongs to systemd/
