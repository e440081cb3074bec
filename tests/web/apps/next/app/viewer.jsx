'use client';

import { useEffect, useRef } from 'react';
import pyloader from 'pyloader';
import { show } from '../../show.js';

export function Viewer() {
  const canvas = useRef(null);
  useEffect(() => void show(pyloader, canvas.current), []);
  return <canvas ref={canvas} style={{ width: 384 }} title={`pyloader ${pyloader.version}`} />;
}
