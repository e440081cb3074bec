"""A test image made in code: ``custom1://phantom/SIZE?noise=SHARE``."""

from urllib.parse import parse_qs, urlsplit

import numpy as np

from pyloader import Context, Image, ImageId, register_loader

WINDOW = 500


@register_loader("custom1")
async def load(image_id: ImageId, context: Context) -> Image:
    """Draw the phantom as large and as noisy as the imageId asks."""
    address = urlsplit(image_id.rest)
    size = int(address.path.strip("/") or 256)
    noise = float(parse_qs(address.query).get("noise", ["0"])[0])
    pixels = 1000 * phantom(size)
    pixels += np.random.default_rng(1).normal(0, noise * WINDOW, pixels.shape)
    return Image.from_array(
        pixels.round().astype("i2"),
        pixel_spacing=(200 / size, 200 / size),
        window_center=250,
        window_width=WINDOW,
    )


def phantom(size: int) -> np.ndarray:
    """Return the head, (size, size), values from 0 to 1."""
    y, x = np.mgrid[1 : -1 : size * 1j, -1 : 1 : size * 1j]
    pixels = np.zeros((size, size))
    for value, half_width, half_height, center_x, center_y, tilt in ELLIPSES:
        turn = np.exp(-1j * np.radians(tilt))
        place = (x - center_x + 1j * (y - center_y)) * turn
        inside = (place.real / half_width) ** 2 + (place.imag / half_height) ** 2 <= 1
        pixels[inside] += value
    return pixels


# The head of Shepp and Logan, with Toft's contrast; the image reaches from -1 to 1:
# value added, half width, half height, centre x, centre y, tilt in degrees.
ELLIPSES = [
    (1.0, 0.69, 0.92, 0, 0, 0),
    (-0.8, 0.6624, 0.874, 0, -0.0184, 0),
    (-0.2, 0.11, 0.31, 0.22, 0, -18),
    (-0.2, 0.16, 0.41, -0.22, 0, 18),
    (0.1, 0.21, 0.25, 0, 0.35, 0),
    (0.1, 0.046, 0.046, 0, 0.1, 0),
    (0.1, 0.046, 0.046, 0, -0.1, 0),
    (0.1, 0.046, 0.023, -0.08, -0.605, 0),
    (0.1, 0.023, 0.023, 0, -0.606, 0),
    (0.1, 0.023, 0.046, 0.06, -0.605, 0),
]
