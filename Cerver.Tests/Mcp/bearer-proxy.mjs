// A proxy on loopback that adds a bearer token, for programs that cannot send one. Host and Origin go through as they came: they are what the gateway judges by.
//
//   node bearer-proxy.mjs PORT GATEWAY      the token is CERVER_API_TOKEN
import http from 'node:http';

const [port, gateway] = process.argv.slice(2);
const { hostname, port: gatewayPort } = new URL(gateway);

http.createServer((request, response) => {
  const headers = { ...request.headers, authorization: `Bearer ${process.env.CERVER_API_TOKEN}` };
  const call = http.request({ hostname, port: gatewayPort, method: request.method, path: request.url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
  });
  call.on('error', () => response.destroy());
  response.on('close', () => call.destroy());
  request.pipe(call);
}).listen(Number(port), '127.0.0.1', () => console.log('up'));
