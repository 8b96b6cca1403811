// Parses each query of a file with Microsoft's parser of M, and prints those that it refuses:
// node parse.js FILE, with @microsoft/powerquery-parser in NODE_PATH.
const parser = require("@microsoft/powerquery-parser");
const fs = require("fs");

(async () => {
    const queries = fs.readFileSync(process.argv[2], "utf8").split(/^(?=\/\/ )/m);
    for (const query of queries) {
        const task = await parser.TaskUtils.tryLexParse(parser.DefaultSettings, query);
        if (!parser.TaskUtils.isParseStageOk(task)) {
            console.log(query.slice(3, query.indexOf("\n")) + ": " + task.error.message);
        }
    }
    console.log(queries.length + " queries");
})();
