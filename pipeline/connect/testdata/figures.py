"""Prints what each table holds, as each of the tools reads it: figures.py MODULE SQL."""

import datetime
import decimal
import importlib.util
import json
import sys

import duckdb
import pandas


def figure(values):
    known = [plain(value) for value in values if value is not None and value is not pandas.NA]
    whole = known and isinstance(known[0], int)
    return {
        "Values": len(known),
        "Min": min(known, default=None),
        "Max": max(known, default=None),
        "Sum": sum(known) if whole else None,
    }


def plain(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()[:10]
    if isinstance(value, decimal.Decimal):
        return int(value * 100)
    return value


def of_pandas(frame):
    return {column: figure(frame[column].tolist()) for column in frame.columns}


def of_polars(lazy):
    frame = lazy.collect()
    return {column: figure(frame[column].to_list()) for column in frame.columns}


def of_duckdb(connection, table):
    rows = connection.execute(f"select * from {table}")
    names = [column[0] for column in rows.description]
    return {name: figure(values) for name, values in zip(names, zip(*rows.fetchall()))} or {
        name: figure([]) for name in names
    }


def joined(module, tables, join, height):
    """The joins that give another number of rows than the table has."""
    return [
        f"{table} to {to_table}"
        for table, _, to_table, _ in module.RELATIONSHIPS
        if height(join(tables, table, to_table)) != height(tables[table])
    ]


def main(module_file, sql_file):
    spec = importlib.util.spec_from_file_location("ltcles_tables", module_file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    found = {"pandas": {}, "polars": {}, "duckdb": {}}
    tables, history = module.pandas_tables(), module.pandas_history()
    astray = joined(module, tables, module.pandas_join, len) + joined(module, history, module.pandas_join, len)
    for name in module.TABLES:
        found["pandas"][name] = of_pandas(tables[name])
        found["pandas"][name + "_history"] = of_pandas(history[name])

    tables, history = module.polars_tables(), module.polars_history()

    def height(lazy):
        return lazy.collect().height

    astray += joined(module, tables, module.polars_join, height) + joined(module, history, module.polars_join, height)
    for name in module.TABLES:
        found["polars"][name] = of_polars(tables[name])
        found["polars"][name + "_history"] = of_polars(history[name])

    connection = duckdb.connect()
    with open(sql_file, encoding="utf-8") as script:
        connection.execute(script.read())
    for name in module.TABLES:
        found["duckdb"][name] = of_duckdb(connection, name)
        found["duckdb"][name + "_history"] = of_duckdb(connection, name + "_history")

    place = module.pandas_join(module.pandas_tables(), "fact_practice_position", "dim_practice")["place"]
    json.dump({"Tables": found, "Astray": astray, "Places": int(place.notna().sum()), "Periods": module.periods()}, sys.stdout)


main(*sys.argv[1:])
