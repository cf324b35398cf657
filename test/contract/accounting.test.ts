import { ReferenceAccounting } from '../../src/core/meter/accounting.ts';
import { NativeAccounting } from '../support/native-accounting.ts';
import { describeAccounting } from './accounting.contract.ts';

describeAccounting('reference', (nodes, streams) => new ReferenceAccounting(nodes, streams));
describeAccounting('native', (nodes, streams) => new NativeAccounting(nodes, streams));
