export type MsgpackValue = null | boolean | number | string | readonly MsgpackValue[] | { [key: string]: MsgpackValue };

/** Reads what InfluxDB writes as MessagePack: one value after the other, from the start of `bytes`. */
export class MsgpackReader {
  private at = 0;
  private readonly bytes: Buffer;
  private readonly view: DataView;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Throws RangeError when the bytes end too early, Error for a kind that is not expected here. */
  read(): MsgpackValue {
    const view = this.view;
    const kind = view.getUint8(this.at++);
    // The kinds of nearly all values first: a float, a time in milliseconds.
    if (kind === 0xcb) return this.skip(8, view.getFloat64(this.at));
    if (kind < 0x80) return kind;
    if (kind >= 0xe0) return kind - 0x100;
    if (kind < 0x90) return this.map(kind & 0x0f);
    if (kind < 0xa0) return this.array(kind & 0x0f);
    if (kind < 0xc0) return this.string(kind & 0x1f);
    return this.readLong(kind);
  }

  private readLong(kind: number): MsgpackValue {
    const view = this.view;
    switch (kind) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.skip(4, view.getFloat32(this.at));
      case 0xcc:
        return this.skip(1, view.getUint8(this.at));
      case 0xcd:
        return this.skip(2, view.getUint16(this.at));
      case 0xce:
        return this.skip(4, view.getUint32(this.at));
      case 0xcf:
        return this.skip(8, Number(view.getBigUint64(this.at)));
      case 0xd0:
        return this.skip(1, view.getInt8(this.at));
      case 0xd1:
        return this.skip(2, view.getInt16(this.at));
      case 0xd2:
        return this.skip(4, view.getInt32(this.at));
      case 0xd3:
        // Without a BigInt: this is every row's time.
        return this.skip(8, view.getInt32(this.at) * 2 ** 32 + view.getUint32(this.at + 4));
      case 0xd9:
        return this.string(this.skip(1, view.getUint8(this.at)));
      case 0xda:
        return this.string(this.skip(2, view.getUint16(this.at)));
      case 0xdb:
        return this.string(this.skip(4, view.getUint32(this.at)));
      case 0xdc:
        return this.array(this.skip(2, view.getUint16(this.at)));
      case 0xdd:
        return this.array(this.skip(4, view.getUint32(this.at)));
      case 0xde:
        return this.map(this.skip(2, view.getUint16(this.at)));
      case 0xdf:
        return this.map(this.skip(4, view.getUint32(this.at)));
      default:
        throw new Error(`MessagePack kind 0x${kind.toString(16)} is not known here`);
    }
  }

  private skip<T>(count: number, value: T): T {
    this.at += count;
    return value;
  }

  private string(length: number): string {
    const end = this.at + length;
    if (end > this.bytes.length) throw new RangeError('the bytes end within a string');
    return this.skip(length, this.bytes.toString('utf8', this.at, end));
  }

  private array(length: number): readonly MsgpackValue[] {
    const values: MsgpackValue[] = [];
    for (let i = 0; i < length; i += 1) values.push(this.read());
    return values;
  }

  private map(length: number): { [key: string]: MsgpackValue } {
    const entries: [string, MsgpackValue][] = [];
    for (let i = 0; i < length; i += 1) entries.push([String(this.read()), this.read()]);
    return Object.fromEntries(entries);
  }
}
