// Questions of tests to an OHIF: the images of its viewports, and which loader made them.
globalThis.asked = {
  viewports() {
    return (window.cornerstone?.getRenderingEngines() ?? []).flatMap((engine) => engine.getViewports());
  },

  /** The imageIds of all viewports. */
  imageIds() {
    return [...new Set(asked.viewports().flatMap((viewport) => viewport.getImageIds?.() ?? []))];
  },

  images() {
    return asked
      .imageIds()
      .map((id) => window.cornerstone.cache.getImage(id))
      .filter(Boolean);
  },

  areAllThere() {
    return asked.imageIds().length > 0 && asked.images().length === asked.imageIds().length;
  },

  /** Only pyloader's images say what their codestream is. */
  isOurs(image) {
    return 'codestream' in image;
  },

  seen(givesPixels) {
    return asked.images().map((image) => ({
      imageId: image.imageId,
      isOurs: asked.isOurs(image),
      type: image.getPixelData().constructor.name,
      pixels: givesPixels ? asked.inBase64(image.getPixelData()) : undefined,
    }));
  },

  inBase64({ buffer, byteOffset, byteLength }) {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const parts = [];
    for (let at = 0; at < bytes.length; at += 0x8000) {
      parts.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
    }
    return btoa(parts.join(''));
  },

  /** Count the requests for pixels that the page made itself: those of workers are not in its list. */
  requestsOfPage() {
    const ofPixels = /\/frames\/|\/instances\/[^/]+$/;
    return performance.getEntriesByType('resource').filter(({ name }) => ofPixels.test(name)).length;
  },

  /** The place in the page at which a pixel of the image is drawn. */
  placeOf([x, y]) {
    const [viewport] = asked.viewports();
    const { utilities } = window.cornerstone;
    const world = utilities.imageToWorldCoords(viewport.getCurrentImageId(), [x, y]);
    const box = viewport.canvas.getBoundingClientRect();
    const [left, top] = viewport.worldToCanvas(world);
    return [box.left + left, box.top + top];
  },

  /** An image by Cornerstone: the number of its values, or the error. */
  load(imageId) {
    return window.cornerstone.imageLoader.loadAndCacheImage(imageId).then(
      (image) => ({ length: image.getPixelData().length, isOurs: asked.isOurs(image) }),
      (failure) => {
        const { code, status, message } = failure.error ?? failure;
        return { code, status, message };
      },
    );
  },

  /** Let go of all images, ours and Cornerstone's. */
  async forget() {
    const { purge } = await import('/pyloader/pyloader.mjs');
    await purge();
    window.cornerstone.cache.purgeCache();
  },

  /** Count the events that tell of one load. */
  async countStarts(imageId) {
    let count = 0;
    window.cornerstone.eventTarget.addEventListener('cornerstoneimageloadstart', () => count++);
    await asked.load(imageId);
    return count;
  },

  /** Count pyloader's workers. */
  async workers() {
    const { stats } = await import('/pyloader/pyloader.mjs');
    return stats().workers.length;
  },

  volume() {
    const [volume] = window.cornerstone.cache.getVolumes();
    const images = volume.imageIds.map((id) => window.cornerstone.cache.getImage(id));
    const values = volume.voxelManager.getCompleteScalarDataArray();
    return {
      dimensions: volume.dimensions,
      type: values.constructor.name,
      areOurs: images.every(asked.isOurs),
      planes: asked.viewports().filter(({ type }) => type === 'orthographic').length,
      values: asked.inBase64(values),
    };
  },

  /** Count the pixels of each slice that are in the segment. */
  segmented() {
    const [segmentation] = window.cornerstoneTools.segmentation.state.getSegmentations();
    const counts = (id) =>
      window.cornerstone.cache
        .getImage(id)
        .getPixelData()
        .filter((value) => value > 0).length;
    return segmentation.representationData.Labelmap.imageIds.map(counts);
  },

  lengths() {
    const annotations = window.cornerstoneTools.annotation.state.getAllAnnotations();
    return annotations.flatMap(({ data }) =>
      Object.values(data.cachedStats ?? {}).map(({ length, unit }) => [length, unit]),
    );
  },
};
