"""Convert decoded pixels to the form that a page asks for: values, windows, padding, dtypes."""
