# Any Linux image with Node 20.19 or later, npm and a shell. The check builds from one of its own.
ARG BASE=node:22-alpine

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client/package.json client/
# No dependency needs an install script.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/
COPY machines machines
COPY panel panel
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM ${BASE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json config.schema.json ./
COPY public public
COPY scripts/healthcheck.mjs scripts/
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["node", "scripts/healthcheck.mjs"]
ENTRYPOINT ["node", "dist/src/main.js"]
