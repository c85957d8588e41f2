"""Carrying a mirror across an air gap: a parcel is a signed folder, laid out as it is served."""
