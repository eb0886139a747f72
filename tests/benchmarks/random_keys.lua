-- Asks for a random entry each time: arguments are the path's beginning, its file of entries, and their length.
local prefix, keys, width, count

function init(args)
  prefix = args[1]
  width = tonumber(args[3])
  local file = assert(io.open(args[2], "rb"))
  keys = file:read("*a")
  file:close()
  count = math.floor(#keys / width)
  math.randomseed(os.time())
  -- wrk.headers is complete here; building the request by hand spares its own concatenation for every request.
  local lines = {}
  for name, value in pairs(wrk.headers) do
    lines[#lines + 1] = name .. ": " .. value .. "\r\n"
  end
  tail = " HTTP/1.1\r\n" .. table.concat(lines) .. "\r\n"
end

function request()
  local at = math.random(0, count - 1) * width
  return "GET " .. prefix .. keys:sub(at + 1, at + width) .. tail
end
