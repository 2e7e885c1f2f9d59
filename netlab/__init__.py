"""netlab: learn how container networking works by building it, on the real kernel and without root."""
