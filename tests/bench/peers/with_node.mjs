// What a script with the AWS SDK for Node does: with_node.mjs URL ITEMS FILE. Prints its CPU time in us an item.
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';

const [url, items, path] = process.argv.slice(2);
const client = new DynamoDBClient({ endpoint: url, region: 'us-east-1' });
const began = process.cpuUsage();
const gzip = createGzip({ level: 6 });
const written = pipeline(gzip, createWriteStream(path));
let count = 0;
let start;
do {
  const page = await client.send(new ScanCommand({ TableName: 'Bench', ConsistentRead: true, ExclusiveStartKey: start }));
  let lines = '';
  for (const item of page.Items) lines += JSON.stringify({ Item: item }) + '\n';
  count += page.Items.length;
  if (!gzip.write(lines)) await once(gzip, 'drain');
  start = page.LastEvaluatedKey;
} while (start);
gzip.end();
await written;
if (count !== Number(items)) throw new Error(`${count} items`);
const used = process.cpuUsage(began);
console.log((used.user + used.system) / count);
