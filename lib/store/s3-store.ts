/** Keeps objects in a bucket of S3 or of a compatible server. The AWS SDK finds credentials, region and endpoint. */
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  type S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { DualAnoDiffError, StoreError } from '../core/errors.js';
import { storeKey } from './keys.js';
import { measure } from './measure.js';
import {
  type ByteRange,
  type Content,
  objectMissing,
  type Store,
  type StoredObject,
  type WrittenObject,
} from './store.js';

/** The SDK repeats a request that failed, or that was throttled, with growing pauses, up to this number of attempts. */
const MAX_ATTEMPTS = 5;
const CONNECTION_TIMEOUT_MS = 10_000;
/** A request ends if its connection stays silent for this long. */
const SOCKET_TIMEOUT_MS = 60_000;
/** Larger objects are uploaded in parts of this size, some of them at once. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 4;

/** These names of failures say more in words. */
const REASONS: Record<string, string> = {
  AccessDenied: 'permission is denied: check the policy of the bucket and the credentials of the AWS SDK',
  CredentialsProviderError: 'the AWS SDK found no credentials: set them in its environment variables or its profile',
  InvalidAccessKeyId: 'the access key is unknown: check the credentials of the AWS SDK',
  NoSuchBucket: 'there is no such bucket',
  SignatureDoesNotMatch: 'the secret key is wrong: check the credentials of the AWS SDK',
};

/** Another writer came first. Servers name it by the status only, or have several requests at once. */
const isConflict = (error: unknown) =>
  [409, 412].includes((error as S3ServiceException).$metadata?.httpStatusCode ?? 0);

const isMissing = (error: unknown) => ['NoSuchKey', 'NotFound'].includes((error as Error).name);

/** Servers other than AWS rarely have a domain for each bucket, so a custom endpoint gets the bucket in the path. */
const hasOwnEndpoint = () => Boolean(process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL);

export class S3Store implements Store {
  readonly place: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #client: S3Client;

  /** `prefix` stands before all keys. It may be empty. */
  constructor(bucket: string, prefix: string) {
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${storeKey(prefix)}/`;
    this.place = `s3://${bucket}${prefix && `/${prefix}`}`;
    this.#client = new S3Client({
      maxAttempts: MAX_ATTEMPTS,
      forcePathStyle: hasOwnEndpoint(),
      requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
    });
    // Otherwise the error of the removal would hide why the upload failed. A lifecycle rule removes the parts, too.
    this.#client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName !== 'AbortMultipartUploadCommand') return next(args);
          return next(args).catch(() => ({ output: { $metadata: {} }, response: undefined }));
        },
      { step: 'initialize', name: 'quietAbort' },
    );
  }

  async put(key: string, content: Content): Promise<WrittenObject> {
    const { chunks, measured } = measure(content);
    const body = Readable.from(chunks);
    const upload = new Upload({
      client: this.#client,
      params: { ...this.#object(key), Body: body, ChecksumAlgorithm: 'SHA256' },
      ...{ partSize: PART_BYTES, queueSize: PARTS_AT_ONCE },
    });
    try {
      await this.#request(`write ${key}`, () => upload.done());
    } finally {
      body.destroy(); // A failed upload leaves the file open.
    }
    return measured();
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    const Range = range && `bytes=${range.start}-${range.end}`;
    const object = this.#object(key);
    const { Body } = await this.#request(`read ${key}`, () =>
      this.#client.send(new GetObjectCommand({ ...object, Range })).catch((error) => {
        throw isMissing(error) ? objectMissing(this, key, error) : error;
      }),
    );
    return Body as Readable;
  }

  /** Reads a small object with its version. A missing one is empty, and has an empty version. */
  async read(key: string): Promise<{ text: string; version: string }> {
    const object = this.#object(key);
    return this.#request(`read ${key}`, async () => {
      try {
        const { Body, ETag = '' } = await this.#client.send(new GetObjectCommand(object));
        return { text: (await Body?.transformToString()) ?? '', version: ETag };
      } catch (error) {
        if (isMissing(error)) return { text: '', version: '' };
        throw error;
      }
    });
  }

  /**
   * Writes a small object if it still has the version that was read, and returns the new version. Returns undefined if
   * somebody else has written it since. Servers that do not know conditional writes always write.
   */
  async replace(key: string, text: string, version: string): Promise<string | undefined> {
    const object = this.#object(key);
    const condition = version === '' ? { IfNoneMatch: '*' } : { IfMatch: version };
    return this.#request(`write ${key}`, async () => {
      try {
        const written = await this.#client.send(new PutObjectCommand({ ...object, Body: text, ...condition }));
        return written.ETag ?? '';
      } catch (error) {
        if (!isConflict(error)) throw error;
        // The answer to an earlier attempt of the SDK may have been lost.
        const now = await this.read(key);
        return now.text === text ? now.version : undefined;
      }
    });
  }

  async head(key: string): Promise<StoredObject | undefined> {
    const object = this.#object(key);
    const found = await this.#request(`read ${key}`, () =>
      this.#client.send(new HeadObjectCommand(object)).catch((error) => {
        if (isMissing(error)) return undefined;
        throw error;
      }),
    );
    return found && { key: storeKey(key), size: found.ContentLength ?? 0, modified: found.LastModified ?? new Date(0) };
  }

  async *list(prefix: string): AsyncGenerator<StoredObject, void, undefined> {
    const { Bucket, Key } = this.#object(prefix);
    const pages = paginateListObjectsV2({ client: this.#client }, { Bucket, Prefix: `${Key}/` });
    for (;;) {
      const page = await this.#request(`list ${prefix}`, () => pages.next());
      if (page.done) return;
      for (const { Key: key = '', Size = 0, LastModified = new Date(0) } of page.value.Contents ?? []) {
        yield { key: key.slice(this.#prefix.length), size: Size, modified: LastModified };
      }
    }
  }

  async delete(key: string): Promise<void> {
    await this.#request(`remove ${key}`, () => this.#client.send(new DeleteObjectCommand(this.#object(key))));
  }

  async clean(): Promise<void> {
    // Unfinished uploads are no objects. A lifecycle rule of the bucket removes their parts.
  }

  close(): void {
    this.#client.destroy();
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + storeKey(key) };
  }

  async #request<T>(what: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (cause) {
      if (cause instanceof DualAnoDiffError) throw cause;
      const { name, message, $metadata } = cause as S3ServiceException;
      const status = $metadata?.httpStatusCode;
      const attempts = $metadata?.attempts ?? 1;
      const tries = attempts > 1 ? ` (after ${attempts} attempts)` : '';
      const isSilent = message === '' || message === 'UnknownError';
      const known = status !== undefined && isSilent ? `the server answered with status ${status}` : undefined;
      const reason = REASONS[name] ?? known ?? (isSilent ? name : `${name}: ${message}`);
      throw new StoreError(`Cannot ${what} in ${this.place}: ${reason}${tries}`, 'ERR_STORE_ACCESS', { cause });
    }
  }
}
