// @ts-check
// Instances as the metadata package of Cornerstone3D takes them, in its real code.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  metaData,
  registerDefaultProviders,
} from '../../../web/node_modules/@cornerstonejs/metadata/dist/esm/index.js';
import { attach } from '../../../web/viewers/cornerstone.js';

const PET = {
  '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.128'] },
  '00080021': { vr: 'DA', Value: ['20200102'] },
  '00080022': { vr: 'DA', Value: ['20200102'] },
  '00080031': { vr: 'TM', Value: ['110000'] },
  '00080032': { vr: 'TM', Value: ['110500'] },
  '00080060': { vr: 'CS', Value: ['PT'] },
  '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^Jane' }] },
  '00100040': { vr: 'CS', Value: ['M'] },
  '00101020': { vr: 'DS', Value: [1.8] },
  '00101030': { vr: 'DS', Value: [80] },
  '00280051': { vr: 'CS', Value: ['DECY', 'ATTN'] },
  '00540016': {
    vr: 'SQ',
    Value: [
      {
        '00181072': { vr: 'TM', Value: ['100000'] },
        '00181074': { vr: 'DS', Value: [400e6] },
        '00181075': { vr: 'DS', Value: [6588] },
      },
    ],
  },
  '00541001': { vr: 'CS', Value: ['BQML'] },
  '00541102': { vr: 'CS', Value: ['START'] },
};

test('Cornerstone3D computes from an instance that it is given, as pyloader does', () => {
  registerDefaultProviders();
  const cornerstone = {
    imageLoader: { registerImageLoader: () => {} },
    eventTarget: new EventTarget(),
    triggerEvent: () => {},
    metaData,
  };
  const face = {
    load: () => assert.fail('loaded'),
    metaData: () => undefined,
    events: new EventTarget(),
  };
  const { giveInstance, detach } = attach(cornerstone, '3d', face);
  giveInstance('wadouri:pet?frame=1', PET);
  assert.equal(metaData.get('instance', 'wadouri:pet?frame=1').Modality, 'PT');
  const { suvbw, suvlbm, suvbsa } = metaData.get('scalingModule', 'wadouri:pet');
  // The numbers of test_suv_by_weight_lean_mass_and_surface in tests/fidelity/test_luts.py.
  const dose = 400e6 * 2 ** (-3600 / 6588);
  assert.ok(Math.abs(suvbw / (80_000 / dose) - 1) < 1e-9);
  assert.ok(Math.abs(suvlbm / (((1.1 * 80 - 120 * (80 / 180) ** 2) * 1000) / dose) - 1) < 1e-9);
  assert.ok(Math.abs(suvbsa / ((71.84 * 80 ** 0.425 * 180 ** 0.725) / dose) - 1) < 1e-9);
  detach();
});
